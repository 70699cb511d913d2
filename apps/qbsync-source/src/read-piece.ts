import type { PieceVerifier, Slice, TorrentLayout } from "@qbit-sidecars/qbsync-protocol/layout";
import { type FileHandle, open } from "node:fs/promises";
import { posix } from "node:path";
import { PartFile } from "./part-file.ts";

/** Where a torrent's data is on this machine. */
export type TorrentData = {
  layout: TorrentLayout;
  /** Each file's path below its folder, as qBittorrent calls it now. */
  names: readonly string[];
  /** Folders the files may be in, likeliest first. */
  folders: readonly string[];
};

/** A piece that was read and whose hashes are right, or why there is none. */
export type PieceReading =
  | { kind: "read"; chunks: AsyncIterable<Buffer> | Iterable<Buffer> }
  /** Its bytes are on the disk, and are not those of the piece. */
  | { kind: "mismatch"; detail: string }
  /** A file is not there, or ends too early. */
  | { kind: "missing"; detail: string };

export type ReadOptions = {
  /** Largest chunk. */
  chunkBytes: number;
  /** A larger piece is read twice rather than held in memory. */
  holdBytes: number;
};

/** A piece that changed between being checked and being sent; its end was withheld, so nobody has it. */
export class PieceChangedError extends Error {
  override readonly name = "PieceChangedError";
}

/**
 * Reads a piece and checks its hashes. Files may still be incomplete (`.!qB`), in another folder than a moment ago,
 * or kept apart because nobody selected them (`.unwanted`, `.parts`).
 *
 * What is read is never more than half believed: nothing is yielded of a piece that does not match, and of one that is
 * too large to hold, its last chunk only when what was yielded before it is right.
 */
export async function readPiece(
  data: TorrentData,
  piece: number,
  options: ReadOptions,
): Promise<PieceReading> {
  let problem: PieceReading = { kind: "missing", detail: "no file" };
  // Files first. A file that was deselected later stands half-filled beside newer bytes in `.parts`.
  for (const prefer of ["files", "parts"] as const) {
    const attempt = await tryToRead({ ...data, prefer }, piece, options);
    if (attempt.kind === "read") return attempt;
    if (attempt.kind === "mismatch" || problem.kind === "missing") problem = attempt;
  }
  return problem;
}

type Source = TorrentData & { prefer: "files" | "parts" };

async function tryToRead(source: Source, piece: number, options: ReadOptions): Promise<PieceReading> {
  const verifier = source.layout.verifier(piece);
  const hold = source.layout.pieceSize(piece) <= options.holdBytes;
  const held: Buffer[] = [];
  try {
    for await (const chunk of chunksOf(source, piece, options.chunkBytes)) {
      verifier.update(chunk);
      if (hold) held.push(chunk);
    }
  } catch (error) {
    if (error instanceof NotThereError) return { kind: "missing", detail: error.message };
    throw error;
  }
  if (!verifier.matches()) return { kind: "mismatch", detail: `piece ${piece} does not have its hash` };
  return { kind: "read", chunks: hold ? held : checkedAgain(source, piece, options.chunkBytes) };
}

async function* checkedAgain(source: Source, piece: number, chunkBytes: number): AsyncGenerator<Buffer> {
  const verifier: PieceVerifier = source.layout.verifier(piece);
  let last: Buffer | undefined;
  for await (const chunk of chunksOf(source, piece, chunkBytes)) {
    if (last !== undefined) yield last;
    verifier.update(chunk);
    last = chunk;
  }
  if (!verifier.matches()) throw new PieceChangedError(`piece ${piece} changed while it was sent`);
  if (last !== undefined) yield last;
}

/** The payload of a piece. @throws NotThereError */
async function* chunksOf(source: Source, piece: number, chunkBytes: number): AsyncGenerator<Buffer> {
  let left = source.layout.pieceSize(piece);
  let chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, left));
  let filled = 0;
  for (const slice of source.layout.slices(piece)) {
    await using bytes = await openSlice(source, piece, slice);
    for (let done = 0; done < slice.length;) {
      const part = chunk.subarray(filled, filled + Math.min(chunk.length - filled, slice.length - done));
      await bytes.fill(part, done);
      done += part.length;
      filled += part.length;
      if (filled < chunk.length) continue;
      yield chunk;
      left -= filled;
      chunk = Buffer.allocUnsafeSlow(Math.min(chunkBytes, left));
      filled = 0;
    }
  }
}

class NotThereError extends Error {}

/** One slice's bytes, wherever they are. */
type SliceBytes = AsyncDisposable & {
  /** Fills `part` with the bytes from `offset` of the slice on. @throws NotThereError */
  fill(part: Uint8Array, offset: number): Promise<void>;
};

async function openSlice(source: Source, piece: number, slice: Slice): Promise<SliceBytes> {
  const ways = [() => inFile(source, slice), () => inParts(source, piece, slice)];
  if (source.prefer === "parts") ways.reverse();
  for (const way of ways) {
    const bytes = await way();
    if (bytes !== undefined) return bytes;
  }
  throw new NotThereError(`${source.names[slice.file]} is not in ${source.folders.join(" or ")}`);
}

async function inFile({ folders, names }: Source, slice: Slice): Promise<SliceBytes | undefined> {
  const name = names[slice.file] ?? "";
  const file = await openFirst(folders.flatMap((folder) => spellings(folder, name)));
  if (file === undefined) return undefined;
  const end = slice.offset + slice.length;
  if ((await file.stat()).size < end) {
    await file.close();
    return undefined;
  }
  return {
    async fill(part, offset) {
      for (let done = 0; done < part.length;) {
        const { bytesRead } = await file.read(part, done, part.length - done, slice.offset + offset + done);
        if (bytesRead === 0) throw new NotThereError(`${name} ends before byte ${end}`);
        done += bytesRead;
      }
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** qBittorrent marks incomplete files, and moves what is not wanted aside, if its preferences say so. */
function spellings(folder: string, name: string): string[] {
  const path = posix.join(folder, name);
  const unwanted = posix.join(posix.dirname(path), ".unwanted", posix.basename(path));
  return [path, `${path}.!qB`, unwanted, `${unwanted}.!qB`];
}

async function openFirst(paths: readonly string[]): Promise<FileHandle | undefined> {
  for (const path of paths) {
    try {
      return await open(path);
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
  }
  return undefined;
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

async function inParts(source: Source, piece: number, slice: Slice): Promise<SliceBytes | undefined> {
  for (const folder of source.folders) {
    const parts = await PartFile.open(folder, source.layout);
    if (parts === undefined) continue;
    if (!parts.has(piece)) {
      await parts[Symbol.asyncDispose]();
      continue;
    }
    return {
      async fill(part, offset) {
        const count = await parts.read(part, piece, slice.pieceOffset + offset);
        if (count < part.length) throw new NotThereError(`the .parts file ends within piece ${piece}`);
      },
      [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
    };
  }
  return undefined;
}
