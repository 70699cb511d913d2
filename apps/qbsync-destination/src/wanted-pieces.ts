import { PieceSet, type TorrentLayout } from "@qbit-sidecars/qbsync-protocol";

/** Pieces with a byte of a selected file. Those that are shared with unselected files are wanted as a whole. */
export function wantedPieces(layout: TorrentLayout, unselected: ReadonlySet<number>): PieceSet {
  const wanted = new PieceSet(layout.pieceCount);
  for (const { index, firstPiece, endPiece } of layout.files) {
    if (unselected.has(index)) continue;
    for (let piece = firstPiece; piece < endPiece; piece += 1) wanted.add(piece);
  }
  return wanted;
}

/** For each file how many of these pieces it has a part in. */
export function countByFile(layout: TorrentLayout, pieces: Iterable<number>): Int32Array {
  const counts = new Int32Array(layout.files.length);
  for (const piece of pieces) for (const file of filesOf(layout, piece)) counts[file]! += 1;
  return counts;
}

/** The files that a piece has bytes of, each once. */
export function filesOf(layout: TorrentLayout, piece: number): Set<number> {
  return new Set(layout.slices(piece).map(({ file }) => file));
}

export function bytesOf(layout: TorrentLayout, pieces: Iterable<number>): number {
  let bytes = 0;
  for (const piece of pieces) bytes += layout.pieceSize(piece);
  return bytes;
}
