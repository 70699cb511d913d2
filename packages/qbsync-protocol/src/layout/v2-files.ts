import type { Dictionary } from "./bencode-reader.ts";
import {
  fileLength,
  hasAttribute,
  isDictionary,
  optionalDictionary,
  optionalInteger,
  optionalText,
  wrong,
} from "./fields.ts";
import { LayoutError } from "./layout-error.ts";
import { blockBytes, hashBytes, merkleRoot, paddingRoot, powerOfTwoFrom } from "./merkle.ts";
import { pathPart } from "./path-parts.ts";
import type { ListedFile } from "./v1-files.ts";

type V2File = ListedFile & {
  /** The root of each of its pieces' hash trees, one after another. */
  pieceRoots: Uint8Array;
};

export type V2Info = { isSingleFile: boolean; files: readonly V2File[]; pieceCount: number };

type Context = {
  pieceLength: number;
  layers: Dictionary;
  files: V2File[];
  /** Pieces of the files so far: every file begins with a piece of its own. */
  pieceCount: number;
};

/** Reads what v2 clients read (BEP 52): undefined when the torrent is not of that version. */
export function readV2(info: Dictionary, root: Dictionary, pieceLength: number): V2Info | undefined {
  const version = optionalInteger(info, "meta version") ?? 1;
  if (version === 1) return undefined;
  if (version !== 2) throw wrong("meta version", `${version}, which nobody knows`);
  if (pieceLength < blockBytes || !Number.isInteger(Math.log2(pieceLength)))
    throw wrong("piece length", `${pieceLength}, no power of two from ${blockBytes}`);
  const tree = optionalDictionary(info, "file tree");
  if (tree === undefined) throw wrong("file tree", "missing");
  const layers = optionalDictionary(root, "piece layers") ?? new Map();
  const context: Context = { pieceLength, layers, files: [], pieceCount: 0 };
  readFolder(tree, [], context);
  const [only] = tree.values();
  return {
    isSingleFile: tree.size === 1 && isDictionary(only) && only.has(""),
    files: context.files,
    pieceCount: context.pieceCount,
  };
}

function readFolder(folder: Dictionary, parts: readonly string[], context: Context): void {
  for (const [name, entry] of folder) {
    if (!isDictionary(entry)) throw wrong("file tree", "not a tree of dictionaries");
    const part = pathPart(Buffer.from(name, "latin1")) ?? "_";
    const file = optionalDictionary(entry, "");
    if (file === undefined) readFolder(entry, [...parts, part], context);
    else if (entry.size > 1) throw wrong("file tree", "one in which a file is also a folder");
    else readFile(file, [...parts, part], context);
  }
}

function readFile(file: Dictionary, parts: readonly string[], context: Context): void {
  const isSymlink = hasAttribute(file, "l");
  const size = isSymlink ? 0 : fileLength(file);
  const { pieceLength, pieceCount } = context;
  const pieceRoots = size === 0 ? new Uint8Array() : rootsOf(file, size, context);
  context.files.push({ parts, size, start: pieceCount * pieceLength, isSymlink, pieceRoots });
  context.pieceCount += pieceRoots.length / hashBytes;
}

function rootsOf(file: Dictionary, size: number, { pieceLength, layers }: Context): Uint8Array {
  const root = optionalText(file, "pieces root");
  if (root?.length !== hashBytes) throw wrong("pieces root", root === undefined ? "missing" : "no SHA-256");
  if (size <= pieceLength) return root;
  const layer = optionalText(layers, Buffer.from(root).toString("latin1"));
  if (layer === undefined) throw new LayoutError("piece layers of a file are missing", "incomplete");
  const pieces = Math.ceil(size / pieceLength);
  if (layer.length !== pieces * hashBytes) throw wrong("piece layers", "not one hash for each piece");
  const computed = merkleRoot(layer, powerOfTwoFrom(pieces), paddingRoot(pieceLength / blockBytes));
  if (Buffer.compare(computed, root) !== 0)
    throw wrong("piece layers", "not what the file's root was made of");
  return layer;
}
