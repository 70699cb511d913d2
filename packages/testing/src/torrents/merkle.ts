import { createHash } from "node:crypto";

/** Leaves of BitTorrent v2's hash trees are blocks of this size (BEP 52). */
export const blockBytes = 16_384;

export type FileTree = { root: Buffer; pieceLayer: Buffer[] };

/**
 * The hash tree of a file that is not empty: its root, and the hashes that cover one piece each.
 *
 * @param blockHashes SHA-256 of each 16 KiB block
 */
export function fileTree(blockHashes: readonly Buffer[], pieceLength: number): FileTree {
  const blocksPerPiece = pieceLength / blockBytes;
  if (blockHashes.length <= blocksPerPiece) {
    // A file within one piece has a tree no taller than its own blocks need, and no piece layer.
    return {
      root: rootOf(blockHashes, { width: powerOfTwoFrom(blockHashes.length), padding: zeroHash() }),
      pieceLayer: [],
    };
  }
  const pieceLayer = chunksOf(blockHashes, blocksPerPiece).map((blocks) =>
    rootOf(blocks, { width: blocksPerPiece, padding: zeroHash() }),
  );
  const padding = rootOf([], { width: blocksPerPiece, padding: zeroHash() });
  return { root: rootOf(pieceLayer, { width: powerOfTwoFrom(pieceLayer.length), padding }), pieceLayer };
}

function rootOf(hashes: readonly Buffer[], { width, padding }: { width: number; padding: Buffer }): Buffer {
  if (width === 1) return hashes[0] ?? padding;
  const parents = chunksOf(hashes, 2).map(([left, right]) => sha256(left ?? padding, right ?? padding));
  return rootOf(parents, { width: width / 2, padding: sha256(padding, padding) });
}

function zeroHash(): Buffer {
  return Buffer.alloc(32);
}

function sha256(...parts: Buffer[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function powerOfTwoFrom(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
