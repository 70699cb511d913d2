import { createHash, type Hash } from "node:crypto";
import { blockBytes, hashBytes, merkleRoot, powerOfTwoFrom, sha256 } from "./merkle.ts";
import type { PieceVerifier } from "./torrent-layout.ts";

/** A stretch of what is hashed: bytes of the payload, or zeros that are on no disk. */
export type Stretch = { length: number; isPadding: boolean };

/** Fed with zeros so much at a time. */
const zerosBytes = 65_536;

/** v1: one SHA-1 over the piece, padding included. */
export class Sha1Verifier implements PieceVerifier {
  readonly #expected: Uint8Array;
  readonly #hash: Hash = createHash("sha1");
  readonly #stretches: Stretch[];
  #excess = false;

  constructor(expected: Uint8Array, stretches: readonly Stretch[]) {
    this.#expected = expected;
    this.#stretches = stretches.map((stretch) => ({ ...stretch })).toReversed();
    this.#skipPadding();
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const stretch = this.#stretches.at(-1);
      if (stretch === undefined) {
        this.#excess = true;
        return;
      }
      const part = bytes.subarray(at, at + stretch.length);
      this.#hash.update(part);
      at += part.length;
      stretch.length -= part.length;
      this.#skipPadding();
    }
  }

  matches(): boolean {
    const isWhole = this.#stretches.length === 0 && !this.#excess;
    return isWhole && Buffer.compare(this.#hash.digest(), this.#expected) === 0;
  }

  #skipPadding(): void {
    for (let last = this.#stretches.at(-1); last !== undefined; last = this.#stretches.at(-1)) {
      if (!last.isPadding && last.length > 0) return;
      if (last.isPadding) this.#hashZeros(last.length);
      this.#stretches.pop();
    }
  }

  #hashZeros(length: number): void {
    const zeros = new Uint8Array(Math.min(length, zerosBytes));
    for (let left = length; left > 0; left -= zeros.length) this.#hash.update(zeros.subarray(0, left));
  }
}

/** v2: a hash tree over blocks of 16 KiB. */
export class MerkleVerifier implements PieceVerifier {
  readonly #expected: Uint8Array;
  readonly #width: number;
  readonly #size: number;
  readonly #leaves: Uint8Array;
  #count = 0;
  /** The block that is not whole yet. */
  #block: Hash | undefined;
  #seen = 0;

  /** @param place `size`: bytes of the piece; `width`: blocks at the base of its tree, those beyond the end included */
  constructor(expected: Uint8Array, { size, width }: { size: number; width: number }) {
    this.#expected = expected;
    this.#size = size;
    this.#width = width;
    this.#leaves = new Uint8Array(Math.ceil(size / blockBytes) * hashBytes);
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#seen >= this.#size) {
        this.#seen = Number.POSITIVE_INFINITY;
        return;
      }
      const left = Math.min(blockBytes - (this.#seen % blockBytes), this.#size - this.#seen);
      const part = bytes.subarray(at, at + left);
      at += part.length;
      this.#take(part, part.length === left);
    }
  }

  matches(): boolean {
    if (this.#seen !== this.#size) return false;
    const root = merkleRoot(this.#leaves, this.#width, new Uint8Array(hashBytes));
    return Buffer.compare(root, this.#expected) === 0;
  }

  #take(part: Uint8Array, isLast: boolean): void {
    this.#seen += part.length;
    // One call for a block that comes in one part is a fifth faster than a hash object.
    if (isLast && this.#block === undefined) return this.#keep(sha256(part));
    this.#block = (this.#block ?? createHash("sha256")).update(part);
    if (isLast) this.#keep(this.#block.digest());
  }

  #keep(leaf: Uint8Array): void {
    this.#leaves.set(leaf, this.#count * hashBytes);
    this.#count += 1;
    this.#block = undefined;
  }
}

/** How wide the hash tree of a piece is: no wider than a file that ends within its first piece needs. */
export function treeWidth(fileSize: number, pieceLength: number): number {
  return fileSize <= pieceLength
    ? powerOfTwoFrom(Math.ceil(fileSize / blockBytes))
    : pieceLength / blockBytes;
}

/** Hybrid torrents name both hashes of each piece, and both must be right: qBittorrent looks at both. */
export function bothVerify(a: PieceVerifier, b: PieceVerifier): PieceVerifier {
  return {
    update(bytes) {
      a.update(bytes);
      b.update(bytes);
    },
    matches() {
      const results = [a.matches(), b.matches()];
      return results.every(Boolean);
    },
  };
}
