import { hash } from "node:crypto";

/** BitTorrent v2 hashes files in blocks of this size (BEP 52). */
export const blockBytes = 16_384;

/** Bytes of a SHA-256. */
export const hashBytes = 32;

/**
 * The root of a hash tree that is `width` hashes wide at its base.
 *
 * @param hashes at least one and up to `width`, one after another
 * @param width a power of two
 * @param padding what stands for the hashes that are not there
 */
export function merkleRoot(hashes: Uint8Array, width: number, padding: Uint8Array): Uint8Array {
  let level = hashes;
  let filler = padding;
  for (let left = width; left > 1; left /= 2) {
    level = parents(level, filler);
    filler = sha256(Buffer.concat([filler, filler]));
  }
  return level;
}

/** The root of a tree of `width` blocks that are all beyond the end of the file. */
export function paddingRoot(width: number): Uint8Array {
  const zero = new Uint8Array(hashBytes);
  return merkleRoot(zero, width, zero);
}

export function powerOfTwoFrom(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

function parents(level: Uint8Array, filler: Uint8Array): Uint8Array {
  const pairBytes = 2 * hashBytes;
  const above = new Uint8Array(Math.ceil(level.length / pairBytes) * hashBytes);
  for (let at = 0; at < level.length; at += pairBytes) {
    const pair = level.subarray(at, at + pairBytes);
    above.set(sha256(pair.length === pairBytes ? pair : Buffer.concat([pair, filler])), at / 2);
  }
  return above;
}
