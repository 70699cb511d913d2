import { hashBytes } from "./merkle.ts";
import { bothVerify, MerkleVerifier, Sha1Verifier, type Stretch, treeWidth } from "./piece-verifier.ts";
import type { LayoutFile, PieceVerifier, Slice } from "./torrent-layout.ts";
import type { ListedFile, V1Info } from "./v1-files.ts";
import type { V2Info } from "./v2-files.ts";

type Description = {
  files: readonly (ListedFile & { path: string })[];
  pieceLength: number;
  v1: V1Info | undefined;
  v2: V2Info | undefined;
};

/** Files and pieces on one line of bytes. What is between two files is padding. */
export class PieceSpace {
  readonly files: readonly LayoutFile[];
  readonly pieceCount: number;
  readonly #pieceLength: number;
  readonly #v1: V1Info | undefined;
  readonly #v2: V2Info | undefined;
  /** Files that are not empty, by where they start. */
  readonly #spans: readonly { file: number; start: number; end: number }[];

  constructor({ files, pieceLength, v1, v2 }: Description) {
    this.#pieceLength = pieceLength;
    this.#v1 = v1;
    this.#v2 = v2;
    this.pieceCount = v2?.pieceCount ?? Math.ceil((v1?.hashedSize ?? 0) / pieceLength);
    this.files = files.map(({ path, size, start, isSymlink }, index) => {
      const firstPiece = Math.floor(start / pieceLength);
      const endPiece = size === 0 ? firstPiece : Math.ceil((start + size) / pieceLength);
      return { index, path, size, firstPiece, endPiece, isSymlink };
    });
    this.#spans = files
      .map(({ start, size }, file) => ({ file, start, end: start + size }))
      .filter(({ start, end }) => end > start);
  }

  slices(piece: number): Slice[] {
    const { start, end } = this.#range(piece);
    const slices: Slice[] = [];
    for (let at = this.#firstSpanAfter(start); at < this.#spans.length; at += 1) {
      const span = this.#spans[at];
      if (span === undefined || span.start >= end) break;
      const from = Math.max(span.start, start);
      slices.push({
        file: span.file,
        offset: from - span.start,
        length: Math.min(span.end, end) - from,
        pieceOffset: from - start,
      });
    }
    return slices;
  }

  pieceSize(piece: number): number {
    return this.slices(piece).reduce((sum, { length }) => sum + length, 0);
  }

  verifier(piece: number): PieceVerifier {
    const v1 = this.#v1 && this.#sha1Verifier(piece, this.#v1);
    const v2 = this.#v2 && this.#merkleVerifier(piece, this.#v2);
    if (v1 !== undefined && v2 !== undefined) return bothVerify(v1, v2);
    const one = v1 ?? v2;
    if (one === undefined) throw new RangeError("a torrent without hashes");
    return one;
  }

  #sha1Verifier(piece: number, { hashes, hashedSize }: V1Info): PieceVerifier {
    const { start, end } = this.#range(piece);
    const stretches: Stretch[] = [];
    let at = 0;
    for (const { pieceOffset, length } of this.slices(piece)) {
      stretches.push({ length: pieceOffset - at, isPadding: true }, { length, isPadding: false });
      at = pieceOffset + length;
    }
    stretches.push({ length: Math.min(end, hashedSize) - start - at, isPadding: true });
    return new Sha1Verifier(hashes.subarray(piece * 20, piece * 20 + 20), stretches);
  }

  #merkleVerifier(piece: number, { files }: V2Info): PieceVerifier {
    // Each piece of a v2 torrent belongs to one file.
    const [slice] = this.slices(piece);
    const file = slice && files[slice.file];
    if (slice === undefined || file === undefined) throw new RangeError(`piece ${piece} has no file`);
    const at = (slice.offset / this.#pieceLength) * hashBytes;
    return new MerkleVerifier(file.pieceRoots.subarray(at, at + hashBytes), {
      size: slice.length,
      width: treeWidth(file.size, this.#pieceLength),
    });
  }

  #range(piece: number): { start: number; end: number } {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.pieceCount)
      throw new RangeError(`there is no piece ${piece} of ${this.pieceCount}`);
    const start = piece * this.#pieceLength;
    return { start, end: start + this.#pieceLength };
  }

  /** Place in `#spans` of the first that ends after `position`. */
  #firstSpanAfter(position: number): number {
    let low = 0;
    let high = this.#spans.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#spans[middle]?.end ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
