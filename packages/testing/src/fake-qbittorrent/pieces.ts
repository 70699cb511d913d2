import type { Content } from "./metainfo.ts";
import type { FakeFile, FakeTorrent } from "./state.ts";

type Layout = { count: number; ranges: [number, number][]; totalSize: number };

/**
 * First and last piece of each file; of an empty file the last one lies before the first, as libtorrent has it. The
 * total counts the padding between files, and of a v2-only torrent the rest of the last piece too.
 */
export function pieceLayout(content: Content, files: readonly FakeFile[]): Layout {
  const { pieceLength, isAligned } = content;
  const nextPiece = (bytes: number) => Math.ceil(bytes / pieceLength) * pieceLength;
  const ranges: [number, number][] = [];
  let offset = 0;
  for (const { size, isPad } of files) {
    if (isAligned && size > 0 && !isPad) offset = nextPiece(offset);
    const first = Math.floor(offset / pieceLength);
    ranges.push([first, size === 0 ? first - 1 : Math.floor((offset + size - 1) / pieceLength)]);
    offset += size;
  }
  const isV2Only = content.pieceHashes.length === 0;
  return { count: Math.ceil(offset / pieceLength), ranges, totalSize: isV2Only ? nextPiece(offset) : offset };
}

/** 0 missing, 1 requested, 2 there; empty without metadata. */
export function pieceStates(torrent: FakeTorrent): readonly number[] {
  if (torrent.pieces !== undefined) return torrent.pieces;
  const content = torrent.metainfo.content;
  if (content === undefined) return [];
  const { count } = pieceLayout(content, torrent.files);
  const have = Math.floor(count * torrent.progress);
  return Array.from({ length: count }, (_, at) => (at < have ? 2 : 0));
}

/**
 * SHA-1 of each piece. A v2-only torrent has none: every version up to 5.3 then shows the first bytes of the info
 * dictionary instead, 20 for each piece.
 */
export function pieceHashes({ files, metainfo: { content } }: FakeTorrent): string[] {
  if (content === undefined || content.pieceHashes.length > 0) return content?.pieceHashes ?? [];
  const { count } = pieceLayout(content, files);
  return Array.from({ length: count }, (_, at) => content.info.toString("hex", at * 20, at * 20 + 20));
}
