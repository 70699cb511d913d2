import type { Dictionary, Value } from "./bencode-reader.ts";
import { LayoutError } from "./layout-error.ts";

/** Reads typed fields out of a dictionary of a torrent file; what is of another type than it must be is a fault. */

export function optionalText(dictionary: Dictionary, key: string): Uint8Array | undefined {
  const value = dictionary.get(key);
  if (value === undefined || value instanceof Uint8Array) return value;
  throw wrong(key, "not a string");
}

export function optionalInteger(dictionary: Dictionary, key: string): number | undefined {
  const value = dictionary.get(key);
  if (value === undefined || typeof value === "number") return value;
  throw wrong(key, "not a number");
}

export function optionalList(dictionary: Dictionary, key: string): readonly Value[] | undefined {
  const value = dictionary.get(key);
  if (value === undefined || isList(value)) return value;
  throw wrong(key, "not a list");
}

export function optionalDictionary(dictionary: Dictionary, key: string): Dictionary | undefined {
  const value = dictionary.get(key);
  if (value === undefined || isDictionary(value)) return value;
  throw wrong(key, "not a dictionary");
}

/** The largest file that libtorrent knows. */
const largestFile = 2 ** 48;

/** The size of a file. */
export function fileLength(dictionary: Dictionary): number {
  const length = optionalInteger(dictionary, "length");
  if (length === undefined || length < 0 || length > largestFile)
    throw wrong("length", length === undefined ? "missing" : `${length} bytes`);
  return length;
}

/** BEP 47's letters: "p" for padding, "l" for a symbolic link, "x", "h". */
export function hasAttribute(dictionary: Dictionary, letter: string): boolean {
  return optionalText(dictionary, "attr")?.includes(letter.charCodeAt(0)) ?? false;
}

export function isDictionary(value: Value | undefined): value is Dictionary {
  return value instanceof Map;
}

function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

export function wrong(key: string, what: string): LayoutError {
  return new LayoutError(`not a torrent file: "${key}" is ${what}`);
}
