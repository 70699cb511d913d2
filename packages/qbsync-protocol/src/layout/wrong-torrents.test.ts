import { describe, expect, test } from "vitest";
import { LayoutError } from "./layout-error.ts";
import { readLayout } from "./read-layout.ts";

type Value = number | string | Buffer | Value[] | { [key: string]: Value };

/** Bencode (BEP 3): keys sorted by their bytes. */
function bencode(value: Value): Buffer {
  if (typeof value === "number") return Buffer.from(`i${value}e`);
  if (typeof value === "string") return bencode(Buffer.from(value));
  if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  if (Array.isArray(value)) return Buffer.concat([Buffer.from("l"), ...value.map(bencode), Buffer.from("e")]);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const parts = entries.flatMap(([key, inner]) => [bencode(key), bencode(inner)]);
  return Buffer.concat([Buffer.from("d"), ...parts, Buffer.from("e")]);
}

const hash = Buffer.alloc(20, 1);
const root = Buffer.alloc(32, 2);
const v1 = { name: "film", "piece length": 16_384, pieces: hash, length: 100 };
const v2 = {
  name: "film",
  "piece length": 16_384,
  "meta version": 2,
  "file tree": { film: { "": { length: 100, "pieces root": root } } },
};
const listed = (file: Value) => {
  const { length: _, ...rest } = v1;
  return { ...rest, files: [file] };
};
const tree = (file: Value) => ({ ...v2, "file tree": { film: file } });

const read = (info: Value) => readLayout(bencode({ info }));

test("what the wrong ones are made from is right", () => {
  expect(read(v1)).toMatchObject({ name: "film", totalSize: 100 });
  expect(read(v2)).toMatchObject({ name: "film", totalSize: 100 });
});

describe("a torrent file is refused, with what is wrong with it, when", () => {
  test.each<[string, Value, RegExp]>([
    ["its name is missing", { ...v1, name: 7 }, /"name" is not a string/],
    ["its length is no number", { ...v1, length: "100" }, /"length" is not a number/],
    ["its length is negative", { ...v1, length: -1 }, /"length" is -1 bytes/],
    ["its length is more than any disk", { ...v1, length: 2 ** 49 }, /"length" is \d+ bytes/],
    ["its hashes are a list", { ...v1, pieces: [] }, /"pieces" is not a string/],
    ["its files are no list", { ...v1, files: { a: 1 } }, /"files" is not a list/],
    ["one of its files is no dictionary", listed("film"), /"files" is not a list of dictionaries/],
    ["one of its files has no path", listed({ length: 100 }), /"path" is missing/],
    ["a path is one text", listed({ length: 100, path: "film" }), /"path" is not a list/],
    ["a path has a number in it", listed({ length: 100, path: [1] }), /"path" is not a list of strings/],
    ["it is of a version that nobody knows", { ...v2, "meta version": 3 }, /"meta version" is 3/],
    ["its pieces are of no size that v2 has", { ...v2, "piece length": 20_000 }, /no power of two/],
    ["its tree is missing", { ...v2, "file tree": 1 }, /"file tree" is not a dictionary/],
    ["its tree has a leaf that is no file", tree(1), /not a tree of dictionaries/],
    ["a file of its tree is a folder, too", tree({ "": { length: 1 }, more: {} }), /a file is also a folder/],
    ["a file of its tree has no root", tree({ "": { length: 1 } }), /"pieces root" is missing/],
    ["a root is no SHA-256", tree({ "": { length: 1, "pieces root": hash } }), /"pieces root" is no SHA-256/],
    [
      "a large file has no layer",
      tree({ "": { length: 40_000, "pieces root": root } }),
      /layers of a file are missing/,
    ],
  ])("%s", (_, info, message) => {
    expect(() => read(info)).toThrow(LayoutError);
    expect(() => read(info)).toThrow(message);
  });

  test("its layers are not one hash for each piece, or no dictionary", () => {
    const info = tree({ "": { length: 40_000, "pieces root": root } });
    const withLayers = (layers: Value) => () => readLayout(bencode({ info, "piece layers": layers }));
    const key = root.toString("latin1");
    expect(withLayers("none")).toThrow(/"piece layers" is not a dictionary/);
    expect(withLayers({ [key]: Buffer.alloc(32) })).toThrow(/not one hash for each piece/);
  });

  test("two of its files, or a file and a folder, would be one on a disk", () => {
    const two = (a: string[], b: string[]) => () =>
      read({ ...listed(1), files: [a, b].map((path) => ({ length: 50, path })) });
    expect(two(["a", "b"], ["a", "b"])).toThrow("the same path");
    // "..", and what has no name, is left out as libtorrent leaves it out.
    expect(two(["a", "..", "b"], ["a", "b"])).toThrow("the same path");
    expect(two(["a"], ["a", "b"])).toThrow("also a folder");
  });
});

test("a name that no file system takes is shortened, and keeps what it is by", () => {
  const name = `${"ä".repeat(200)}.mkv`;
  const { files } = read({ ...v1, name });
  expect(Buffer.byteLength(files[0]?.path ?? "")).toBeLessThanOrEqual(255);
  expect(files[0]?.path).toMatch(/^ä+\.mkv$/u);
});
