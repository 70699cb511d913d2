import { createHash } from "node:crypto";
import { BencodeReader, type Dictionary } from "./bencode-reader.ts";
import { isDictionary, optionalInteger, wrong } from "./fields.ts";
import { LayoutError } from "./layout-error.ts";
import { refuseSharedPaths } from "./path-parts.ts";
import { PieceSpace } from "./piece-space.ts";
import type { TorrentLayout } from "./torrent-layout.ts";
import { readV1, torrentName, type V1Info } from "./v1-files.ts";
import { readV2, type V2Info } from "./v2-files.ts";

const mebibyte = 1024 * 1024;

/** Beyond any torrent qBittorrent takes: it reads files up to 100 MiB, libtorrent 2²¹ pieces of less than 512 MiB. */
const limits = { fileBytes: 100 * mebibyte, pieceLength: 512 * mebibyte, pieces: 2 ** 21 };

/**
 * Reads where everything in a torrent lies from its `.torrent` file: v1 (BEP 3), v2 (BEP 52) and hybrid, padded
 * (BEP 47) or not. Of a hybrid both descriptions are read and must be the same files. The layout keeps the bytes it
 * was given: they must not be changed.
 *
 * @throws LayoutError and nothing else, whatever the bytes are
 */
export function readLayout(torrent: Uint8Array): TorrentLayout {
  if (torrent.length > limits.fileBytes)
    throw new LayoutError(`a torrent file of ${torrent.length} bytes`, "tooLarge");
  const { root, raw } = new BencodeReader(torrent).root("info");
  const info = root.get("info");
  if (!isDictionary(info) || raw === undefined) throw wrong("info", "no dictionary");
  const name = torrentName(info);
  const pieceLength = pieceLengthOf(info);
  const v1 = readV1(info, name);
  const v2 = readV2(info, root, pieceLength);
  if (v1 !== undefined) checkV1(v1, pieceLength);
  if (v1 !== undefined && v2 !== undefined) refuseDifference(v1, v2, pieceLength);
  const description = v2 ?? v1;
  if (description === undefined) throw wrong("pieces", "missing");

  const { isSingleFile } = description;
  const listed = description.files.map((file) => ({
    ...file,
    path: (isSingleFile ? file.parts : [name, ...file.parts]).join("/"),
  }));
  refuseSharedPaths(listed.map(({ path }) => path));
  const space = new PieceSpace({ files: listed, pieceLength, v1, v2 });
  if (space.pieceCount === 0) throw new LayoutError("a torrent of no bytes");
  if (space.pieceCount > limits.pieces) throw new LayoutError(`${space.pieceCount} pieces`, "tooLarge");
  return {
    name,
    isSingleFile,
    isPrivate: optionalInteger(info, "private") === 1,
    ...infohashes(raw, { v1, v2 }),
    info: raw,
    pieceLength,
    pieceCount: space.pieceCount,
    totalSize: space.files.reduce((sum, { size }) => sum + size, 0),
    files: space.files,
    pieceSize: (piece) => space.pieceSize(piece),
    slices: (piece) => space.slices(piece),
    verifier: (piece) => space.verifier(piece),
  };
}

function pieceLengthOf(info: Dictionary): number {
  const length = optionalInteger(info, "piece length");
  if (length === undefined || length < 1) throw wrong("piece length", String(length ?? "missing"));
  if (length > limits.pieceLength) throw new LayoutError(`pieces of ${length} bytes`, "tooLarge");
  return length;
}

function checkV1({ hashes, hashedSize }: V1Info, pieceLength: number): void {
  const pieces = Math.ceil(hashedSize / pieceLength);
  if (hashes.length !== pieces * 20)
    throw wrong("pieces", `${hashes.length} bytes of hashes for ${pieces} pieces`);
}

/** Two descriptions of different files would make two sides hash different bytes for the same torrent. */
function refuseDifference(v1: V1Info, v2: V2Info, pieceLength: number): void {
  const isSame =
    Math.ceil(v1.hashedSize / pieceLength) === v2.pieceCount &&
    v1.files.length === v2.files.length &&
    v1.isSingleFile === v2.isSingleFile &&
    v1.files.every((file, index) => {
      const other = v2.files[index];
      return (
        other !== undefined &&
        file.size === other.size &&
        (file.size === 0 || file.start === other.start) &&
        file.parts.join("/") === other.parts.join("/")
      );
    });
  if (!isSame) throw new LayoutError("a hybrid torrent whose two descriptions name different files");
}

function infohashes(info: Uint8Array, { v1, v2 }: { v1: V1Info | undefined; v2: V2Info | undefined }) {
  const infohashV1 = v1 && createHash("sha1").update(info).digest("hex");
  const infohashV2 = v2 && createHash("sha256").update(info).digest("hex");
  return { infohashV1, infohashV2, torrentId: (infohashV2 ?? infohashV1 ?? "").slice(0, 40) };
}
