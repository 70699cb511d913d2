import type { Dictionary, Value } from "./bencode-reader.ts";
import { fileLength, hasAttribute, isDictionary, optionalList, optionalText, wrong } from "./fields.ts";
import { LayoutError } from "./layout-error.ts";
import { pathPart, pathParts } from "./path-parts.ts";

/** A file as one of the two versions describes it. */
export type ListedFile = {
  /** Below the torrent's folder; the whole path of a single file. */
  parts: readonly string[];
  size: number;
  /** First byte, counted over everything that is hashed, padding included. */
  start: number;
  isSymlink: boolean;
};

export type V1Info = {
  isSingleFile: boolean;
  /** Padding left out. */
  files: readonly ListedFile[];
  /** Bytes that are hashed, padding included. */
  hashedSize: number;
  /** SHA-1 of each piece, one after another. */
  hashes: Uint8Array;
};

/** Reads what v1 clients read (BEP 3): undefined when the torrent has no v1 hashes. */
export function readV1(info: Dictionary, name: string): V1Info | undefined {
  const hashes = optionalText(info, "pieces");
  if (hashes === undefined) return undefined;
  const listed = optionalList(info, "files");
  if (listed === undefined) {
    const size = fileLength(info);
    return {
      isSingleFile: true,
      files: [{ parts: [name], size, start: 0, isSymlink: false }],
      hashedSize: size,
      hashes,
    };
  }
  return { isSingleFile: false, ...readList(listed), hashes };
}

/** The name of the torrent, which is its file or its folder. */
export function torrentName(info: Dictionary): string {
  const name = optionalText(info, "name.utf-8") ?? optionalText(info, "name");
  if (name === undefined) throw wrong("name", "missing");
  return pathPart(name) ?? "_";
}

function readList(listed: readonly Value[]): { files: ListedFile[]; hashedSize: number } {
  const files: ListedFile[] = [];
  let start = 0;
  for (const item of listed) {
    if (!isDictionary(item)) throw wrong("files", "not a list of dictionaries");
    const isSymlink = hasAttribute(item, "l");
    const size = isSymlink ? 0 : fileLength(item);
    if (!hasAttribute(item, "p")) files.push({ parts: partsOf(item), size, start, isSymlink });
    start += size;
    if (!Number.isSafeInteger(start)) throw new LayoutError("a torrent of more than 2^53 bytes", "tooLarge");
  }
  return { files, hashedSize: start };
}

function partsOf(item: Dictionary): string[] {
  const path = optionalList(item, "path.utf-8") ?? optionalList(item, "path");
  if (path === undefined) throw wrong("path", "missing");
  return pathParts(
    path.map((part) => {
      if (part instanceof Uint8Array) return part;
      throw wrong("path", "not a list of strings");
    }),
  );
}
