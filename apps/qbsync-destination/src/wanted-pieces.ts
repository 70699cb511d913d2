import { PieceSet, type TorrentLayout } from "@qbit-sidecars/qbsync-protocol";
import type { ByteRange } from "./file-bytes.ts";

/** Pieces with a byte of a selected file. Those that are shared with unselected files are wanted as a whole. */
export function wantedPieces(layout: TorrentLayout, unselected: ReadonlySet<number>): PieceSet {
  const wanted = new PieceSet(layout.pieceCount);
  for (const { index } of layout.files)
    if (!unselected.has(index)) for (const piece of piecesOf(layout, index)) wanted.add(piece);
  return wanted;
}

/** For each file how many of these pieces it has a part in. */
export function countByFile(layout: TorrentLayout, pieces: Iterable<number>): Int32Array {
  const counts = new Int32Array(layout.files.length);
  for (const piece of pieces) for (const file of filesOf(layout, piece)) counts[file]! += 1;
  return counts;
}

/** The pieces that a file has bytes of, in order. */
export function* piecesOf(layout: TorrentLayout, file: number): Generator<number> {
  const { firstPiece = 0, endPiece = 0 } = layout.files[file] ?? {};
  for (let piece = firstPiece; piece < endPiece; piece += 1) yield piece;
}

/** The files that a piece has bytes of, each once. */
export function filesOf(layout: TorrentLayout, piece: number): Set<number> {
  return new Set(layout.slices(piece).map(({ file }) => file));
}

/** What of a file lies in these pieces. */
export function partsIn(pieces: PieceSet, layout: TorrentLayout, file: number): ByteRange[] {
  const parts: ByteRange[] = [];
  for (const piece of piecesOf(layout, file)) {
    if (!pieces.has(piece)) continue;
    for (const slice of layout.slices(piece)) {
      if (slice.file !== file) continue;
      const end = slice.offset + slice.length;
      const last = parts.at(-1);
      if (last?.[1] === slice.offset) parts[parts.length - 1] = [last[0], end];
      else parts.push([slice.offset, end]);
    }
  }
  return parts;
}

export function bytesOf(layout: TorrentLayout, pieces: Iterable<number>): number {
  let bytes = 0;
  for (const piece of pieces) bytes += layout.pieceSize(piece);
  return bytes;
}
