/** Keys and strings are read as latin1, so that nothing is lost; use `Buffer.from(value, "latin1")` for bytes. */
export type Bencoded = number | string | Bencoded[] | { [key: string]: Bencoded };

type Reader = { data: string; at: number };

/** @throws Error when the data is not exactly one bencoded value */
export function decodeBencode(data: Buffer): Bencoded {
  const reader = { data: data.toString("latin1"), at: 0 };
  const value = read(reader);
  if (reader.at !== reader.data.length) throw new Error("decoding bencode: data after the end");
  return value;
}

export function encodeBencode(value: Bencoded): Buffer {
  return Buffer.from(write(value), "latin1");
}

function read(reader: Reader): Bencoded {
  const kind = reader.data[reader.at];
  if (kind === "i") return readNumber(reader, "e", 1);
  if (kind === "l") return readItems(reader);
  if (kind === "d") return readEntries(reader);
  return readString(reader);
}

function readNumber(reader: Reader, end: string, skip = 0): number {
  const stop = reader.data.indexOf(end, reader.at);
  const digits = reader.data.slice(reader.at + skip, stop);
  if (stop < 0 || !/^-?\d+$/.test(digits)) throw new Error("decoding bencode: not a number");
  reader.at = stop + 1;
  return Number(digits);
}

function readString(reader: Reader): string {
  const length = readNumber(reader, ":");
  const end = reader.at + length;
  if (length < 0 || end > reader.data.length) throw new Error("decoding bencode: string out of bounds");
  const value = reader.data.slice(reader.at, end);
  reader.at = end;
  return value;
}

function readItems(reader: Reader): Bencoded[] {
  const items: Bencoded[] = [];
  reader.at++;
  while (!atEnd(reader)) items.push(read(reader));
  return items;
}

function readEntries(reader: Reader): { [key: string]: Bencoded } {
  const entries: [string, Bencoded][] = [];
  reader.at++;
  while (!atEnd(reader)) entries.push([readString(reader), read(reader)]);
  return Object.fromEntries(entries);
}

function atEnd(reader: Reader): boolean {
  if (reader.at >= reader.data.length) throw new Error("decoding bencode: unexpected end");
  if (reader.data[reader.at] !== "e") return false;
  reader.at++;
  return true;
}

function write(value: Bencoded): string {
  if (typeof value === "number") return `i${value}e`;
  if (typeof value === "string") return `${value.length}:${value}`;
  if (Array.isArray(value)) return `l${value.map(write).join("")}e`;
  const keys = Object.keys(value).toSorted((left, right) => (left < right ? -1 : 1));
  return `d${keys.map((key) => write(key) + write(value[key] ?? "")).join("")}e`;
}
