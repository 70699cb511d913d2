import { createHash } from "node:crypto";
import type { Bencodable } from "./bencode.ts";
import type { Layout, PlannedFile } from "./layout.ts";

type Entry = {
  parts: readonly string[];
  size: number;
  attr?: "p";
  content: (offset: number, length: number) => Buffer;
};

/** The part of a torrent's info that v1 clients read (BEP 3), with pad files where asked for (BEP 47). */
export function v1Info(layout: Layout, padded: boolean): Record<string, Bencodable> {
  const { isSingleFile, pieceLength, files } = layout;
  const entries: readonly Entry[] = padded ? withPads(files, pieceLength) : files;
  const pieces = pieceHashes(entries, pieceLength);
  if (isSingleFile) return { length: files[0]?.size ?? 0, pieces };
  return { files: entries.map(({ size, parts, attr }) => ({ length: size, path: parts, attr })), pieces };
}

/** Each file that is not the last is followed by zeros up to the next piece. */
function withPads(files: readonly PlannedFile[], pieceLength: number): Entry[] {
  return files.flatMap((file, index): Entry[] => {
    const size = (pieceLength - (file.size % pieceLength)) % pieceLength;
    const isNeeded = size > 0 && index < files.length - 1;
    return isNeeded ? [file, pad(size)] : [file];
  });
}

function pad(size: number): Entry {
  return { parts: [".pad", String(size)], size, attr: "p", content: (_, length) => Buffer.alloc(length) };
}

/** One SHA-1 after another, of pieces that run across the files' borders. */
function pieceHashes(entries: readonly Entry[], pieceLength: number): Buffer {
  const hashes: Buffer[] = [];
  let piece = createHash("sha1");
  let missing = pieceLength;
  for (const { size, content } of entries) {
    for (let offset = 0, length = 0; offset < size; offset += length) {
      length = Math.min(missing, size - offset);
      piece.update(content(offset, length));
      missing -= length;
      if (missing > 0) continue;
      hashes.push(piece.digest());
      piece = createHash("sha1");
      missing = pieceLength;
    }
  }
  if (missing < pieceLength) hashes.push(piece.digest());
  return Buffer.concat(hashes);
}
