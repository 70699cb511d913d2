import { createHash } from "node:crypto";
import type { Bencodable } from "./bencode.ts";
import type { Layout, PlannedFile } from "./layout.ts";
import { blockBytes, type FileTree, fileTree } from "./merkle.ts";

type Leaf = { parts: readonly string[]; file: { length: number; "pieces root": Buffer | undefined } };

/** The hash tree of each file of the layout; an empty file has none. */
export function treesOf({ files, pieceLength }: Layout): (FileTree | undefined)[] {
  return files.map((file) => (file.size === 0 ? undefined : fileTree(blockHashes(file), pieceLength)));
}

/** The part of a torrent's info that v2 clients read (BEP 52). */
export function v2Info(
  { files }: Layout,
  trees: readonly (FileTree | undefined)[],
): Record<string, Bencodable> {
  const leaves = files.map(({ parts, size }, index): Leaf => {
    return { parts, file: { length: size, "pieces root": trees[index]?.root } };
  });
  return { "meta version": 2, "file tree": folder(leaves) };
}

function folder(leaves: readonly Leaf[]): Map<string, Bencodable> {
  const byName = Map.groupBy(leaves, ({ parts }) => parts[0] ?? "");
  return new Map([...byName].map(([name, below]) => [name, entry(below)]));
}

function entry(leaves: readonly Leaf[]): Bencodable {
  const leaf = leaves.find(({ parts }) => parts.length === 1);
  if (leaf) return { "": leaf.file };
  return folder(leaves.map(({ parts, file }) => ({ parts: parts.slice(1), file })));
}

/** Piece hashes by file, which stand outside the info; files within one piece have none. */
export function pieceLayers(trees: readonly (FileTree | undefined)[]): Map<Buffer, Buffer> {
  const layered = trees.filter((tree) => tree !== undefined).filter((tree) => tree.pieceLayer.length > 0);
  return new Map(layered.map(({ root, pieceLayer }) => [root, Buffer.concat(pieceLayer)]));
}

function blockHashes({ size, content }: PlannedFile): Buffer[] {
  return Array.from({ length: Math.ceil(size / blockBytes) }, (_, index) => {
    const offset = index * blockBytes;
    const block = content(offset, Math.min(blockBytes, size - offset));
    return createHash("sha256").update(block).digest();
  });
}
