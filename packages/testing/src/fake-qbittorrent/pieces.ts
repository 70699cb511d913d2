import type { Content } from "./metainfo.ts";
import type { FakeFile, FakeTorrent } from "./torrent.ts";

/** First and last piece of each file; of an empty file the last one lies before the first, as libtorrent has it. */
export function pieceRanges(
  content: Content,
  files: readonly FakeFile[],
): { count: number; ranges: [number, number][] } {
  const { pieceLength, isAligned } = content;
  const ranges: [number, number][] = [];
  let offset = 0;
  for (const file of files) {
    if (isAligned && file.size > 0 && !file.isPad) offset = Math.ceil(offset / pieceLength) * pieceLength;
    const first = Math.floor(offset / pieceLength);
    const last = file.size === 0 ? first - 1 : Math.floor((offset + file.size - 1) / pieceLength);
    ranges.push([first, last]);
    offset += file.size;
  }
  return { count: Math.ceil(offset / pieceLength), ranges };
}

/** With the padding between files; a v2-only torrent ends at a whole piece too. */
export function totalSize(content: Content, files: readonly FakeFile[]): number {
  const sizes = content.isAligned ? alignedSizes(content, files) : files.map(({ size }) => size);
  return sizes.reduce((sum, size) => sum + size, 0);
}

function alignedSizes({ pieceLength, pieceHashes }: Content, files: readonly FakeFile[]): number[] {
  const real = files.filter(({ isPad }) => !isPad);
  const isV2Only = pieceHashes.length === 0;
  return real.map(({ size }, at) =>
    isV2Only || at < real.length - 1 ? Math.ceil(size / pieceLength) * pieceLength : size,
  );
}

/** 0 missing, 1 requested, 2 there; empty without metadata. */
export function pieceStates(torrent: FakeTorrent): readonly number[] {
  if (torrent.pieces !== undefined) return torrent.pieces;
  const content = torrent.metainfo.content;
  if (content === undefined) return [];
  const { count } = pieceRanges(content, torrent.files);
  const have = Math.floor(count * torrent.progress);
  return Array.from({ length: count }, (_, at) => (at < have ? 2 : 0));
}
