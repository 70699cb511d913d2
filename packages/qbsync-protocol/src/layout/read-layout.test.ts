import { makeTorrent } from "@qbit-sidecars/testing";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { LayoutError } from "./layout-error.ts";
import { readLayout } from "./read-layout.ts";
import { anyTorrent, madeTorrents, payload } from "./torrents-under-test.ts";
import type { TorrentLayout } from "./torrent-layout.ts";

const runs = process.env.QBIT_SIDECARS_LONG === "1" ? 3000 : 100;
const pieces = (layout: TorrentLayout) => Array.from({ length: layout.pieceCount }, (_, piece) => piece);

describe.each(madeTorrents())("%s", (_, made) => {
  test("has the files, the names and the hashes it was made with", () => {
    const layout = readLayout(made.torrent);
    expect(layout).toMatchObject({
      name: made.name,
      torrentId: made.torrentId,
      infohashV1: made.infohashV1,
      infohashV2: made.infohashV2,
      pieceLength: made.pieceLength,
    });
    expect(layout.files.map(({ path, size }) => ({ path, size }))).toEqual(
      made.files.map(({ path, size }) => ({ path, size })),
    );
  });

  test("takes its own bytes, piece by piece, and no others", () => {
    const layout = readLayout(made.torrent);
    for (const piece of pieces(layout)) {
      const bytes = payload(made, layout, piece);
      expect(bytes).toHaveLength(layout.pieceSize(piece));
      expect(verdict(layout, piece, bytes)).toBe(true);
      if (bytes.length === 0) continue;
      const flipped = Buffer.from(bytes);
      flipped[bytes.length >> 1]! ^= 1;
      expect(verdict(layout, piece, flipped)).toBe(false);
      expect(verdict(layout, piece, bytes.subarray(1))).toBe(false);
      expect(verdict(layout, piece, Buffer.concat([bytes, Buffer.from([0])]))).toBe(false);
    }
  });
});

test("a piece is right however its bytes are cut, and every byte of every file is in exactly one piece", () => {
  fc.assert(
    fc.property(anyTorrent, fc.infiniteStream(fc.integer({ min: 1, max: 20_000 })), (made, cuts) => {
      const layout = readLayout(made.torrent);
      const covered = made.files.map(() => 0);
      for (const piece of pieces(layout)) {
        const bytes = payload(made, layout, piece);
        const verifier = layout.verifier(piece);
        for (let at = 0; at < bytes.length;) {
          const cut: number = cuts.next().value;
          verifier.update(bytes.subarray(at, at + cut));
          at += cut;
        }
        expect(verifier.matches()).toBe(true);
        for (const { file, offset, length } of layout.slices(piece)) {
          expect(offset).toBe(covered[file]);
          covered[file]! += length;
          const { firstPiece, endPiece } = layout.files[file]!;
          expect(piece >= firstPiece && piece < endPiece).toBe(true);
        }
      }
      expect(covered).toEqual(made.files.map(({ size }) => size));
    }),
    { numRuns: runs },
  );
});

test("a torrent file that is cut off or changed gives a layout or a LayoutError, soon", () => {
  const change = fc.record({ at: fc.nat(), with: fc.uint8Array({ maxLength: 4 }), cut: fc.nat(8) });
  fc.assert(
    fc.property(anyTorrent, fc.array(change, { minLength: 1, maxLength: 4 }), ({ torrent }, changes) => {
      let bytes = torrent;
      for (const { at, with: by, cut } of changes) {
        const place = at % (bytes.length + 1);
        bytes = Buffer.concat([bytes.subarray(0, place), by, bytes.subarray(place + cut)]);
      }
      expectTyped(bytes);
      expectTyped(torrent.subarray(0, (changes[0]?.at ?? 0) % torrent.length));
    }),
    { numRuns: runs * 5 },
  );
});

test("bytes that are no torrent give a LayoutError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectTyped(bytes)),
    { numRuns: runs * 5 },
  );
});

/** Torrent files by hand: `info` is the inside of the info dictionary. */
const torrentOf = (info: string, rest = "") => Buffer.from(`d4:infod${info}e${rest}e`, "latin1");
const sha1 = "x".repeat(20);
const v1File = (path: string, length = "i5e") => `d6:length${length}4:pathl${path}ee`;
const v1 = (files: string, hashes = `20:${sha1}`, pieceLength = "i16384e") =>
  torrentOf(`5:filesl${files}e4:name1:t12:piece length${pieceLength}6:pieces${hashes}`);

test.each<[string, Buffer, string]>([
  ["nothing", Buffer.from(""), "no dictionary"],
  ["a page of HTML", Buffer.from("<html>"), "no dictionary"],
  ["no info", Buffer.from("d4:spam4:eggse"), '"info" is no dictionary'],
  ["bytes after the end", Buffer.concat([v1(v1File("1:a")), Buffer.from("x")]), "bytes after the end"],
  ["a key that stands twice", torrentOf("1:ai1e1:ai2e"), "a key that stands twice"],
  ["a leading zero", torrentOf("1:ai01e"), "leading zero"],
  ["a negative zero", torrentOf("1:ai-0e"), "negative zero"],
  ["a length with a leading zero", torrentOf("01:ai1e"), "leading zero"],
  ["a number beyond 2^53", torrentOf("1:ai99999999999999999999e"), "beyond 2^53"],
  ["a string longer than the file", torrentOf("1:a9999999999:b"), "ends after the file"],
  ["lists in lists in lists", Buffer.from(`d1:a${"l".repeat(5000)}`), "too deep"],
  ["dictionaries in dictionaries", Buffer.from(`d1:a${"d1:a".repeat(5000)}`), "too deep"],
  ["a negative size", v1(v1File("1:a", "i-5e")), '"length" is -5 bytes'],
  ["a size beyond any file", v1(v1File("1:a", "i9000000000000000e")), '"length" is'],
  ["no path", v1("d6:lengthi5ee"), '"path" is missing'],
  ["a path that is a number", v1("d6:lengthi5e4:pathli1eee"), '"path" is not a list of strings'],
  ["no piece length", torrentOf(`6:lengthi5e4:name1:t6:pieces20:${sha1}`), '"piece length" is missing'],
  ["pieces of no bytes", v1(v1File("1:a"), `20:${sha1}`, "i0e"), '"piece length" is 0'],
  ["pieces of a terabyte", v1(v1File("1:a"), `20:${sha1}`, "i1000000000000e"), "pieces of"],
  ["too few hashes", v1(v1File("1:a", "i20000e")), "20 bytes of hashes for 2 pieces"],
  ["half a hash", v1(v1File("1:a"), "10:xxxxxxxxxx"), "10 bytes of hashes"],
  ["no bytes at all", v1(v1File("1:a", "i0e"), "0:"), "a torrent of no bytes"],
  ["one path twice", v1(v1File("1:a", "i1e") + v1File("1:a", "i1e")), "same path"],
  ["a file that is a folder", v1(v1File("1:a", "i1e") + v1File("1:a1:b", "i1e")), "also a folder"],
  [
    "a version of the future",
    torrentOf("12:meta versioni3e4:name1:t12:piece lengthi16384e"),
    '"meta version"',
  ],
  ["v2 without files", torrentOf("12:meta versioni2e4:name1:t12:piece lengthi16384e"), '"file tree"'],
  ["v2 with odd pieces", torrentOf("12:meta versioni2e4:name1:t12:piece lengthi20000e"), '"piece length"'],
])("%s is refused in words", (_, torrent, message) => {
  const reading = () => readLayout(torrent);
  expect(reading).toThrow(LayoutError);
  expect(reading).toThrow(message);
});

test("a v2 torrent without its piece layers says that they are missing, not that it is wrong", () => {
  const made = makeTorrent({ version: "v2", files: [{ path: "a", size: 100_000 }] });
  const at = made.torrent.indexOf("12:piece layers");
  const without = Buffer.concat([made.torrent.subarray(0, at), Buffer.from("12:piece layersdee")]);
  expect(faultOf(without)).toBe("incomplete");
});

test("piece layers that do not make up the root are refused", () => {
  const made = makeTorrent({ version: "v2", files: [{ path: "a", size: 100_000 }] });
  const changed = Buffer.from(made.torrent);
  changed[changed.length - 5]! ^= 1;
  expect(() => readLayout(changed)).toThrow("not what the file's root was made of");
});

test("a hybrid torrent that shows v1 clients other files than v2 clients is refused", () => {
  const made = makeTorrent({
    version: "hybrid",
    files: [
      { path: "aa", size: 5 },
      { path: "bb", size: 6 },
    ],
    name: "t",
  });
  const text = made.torrent.toString("latin1");
  const at = text.indexOf("4:pathl2:aa") + "4:pathl2:".length;
  const changed = Buffer.from(`${text.slice(0, at)}cc${text.slice(at + 2)}`, "latin1");
  expect(() => readLayout(changed)).toThrow("two descriptions name different files");
});

test.each([
  ["..", "_"],
  [".", "_"],
  ["", "_"],
  ["/", "_"],
  ["a/b", "ab"],
  ["a\\b", "ab"],
  ["a\0b", "ab"],
  ["\u202egnp.exe", "gnp.exe"],
])("a file that wants to be called %j is %j below its folder", (wanted, called) => {
  const bytes = Buffer.from(wanted);
  const layout = readLayout(v1(v1File(`${bytes.length}:${bytes.toString("latin1")}`)));
  expect(layout.files[0]?.path).toBe(`t/${called}`);
});

test("100,000 files are read, and the pieces of each are found at once", () => {
  const files = Array.from({ length: 100_000 }, (_, index) =>
    v1File(`${String(index).length}:${index}`),
  ).join("");
  const hashes = "x".repeat(20 * Math.ceil(500_000 / 16_384));
  const layout = readLayout(v1(files, `${hashes.length}:${hashes}`));
  expect(layout.files).toHaveLength(100_000);
  expect(layout.slices(30)).toHaveLength(1696);
  expect(layout.slices(30)[0]).toEqual({ file: 98_304, offset: 0, length: 5, pieceOffset: 0 });
});

test("more values than any torrent has are refused before they fill the memory", () => {
  const bomb = Buffer.concat([Buffer.from("d1:al"), Buffer.alloc(8_000_000, "0:"), Buffer.from("ee")]);
  expect(faultOf(bomb)).toBe("tooLarge");
});

test("padding in the middle of a piece is hashed and is in no slice", () => {
  const pad = "d4:attr1:p6:lengthi3e4:pathl4:.pad1:3ee";
  const hash = createHash("sha1").update("aaaaa\0\0\0bbbb").digest("latin1");
  const layout = readLayout(v1(v1File("1:a") + pad + v1File("1:b", "i4e"), `20:${hash}`));
  expect(layout.files.map(({ path }) => path)).toEqual(["t/a", "t/b"]);
  expect(layout.slices(0)).toEqual([
    { file: 0, offset: 0, length: 5, pieceOffset: 0 },
    { file: 1, offset: 0, length: 4, pieceOffset: 8 },
  ]);
  expect(verdict(layout, 0, Buffer.from("aaaaabbbb"))).toBe(true);
  expect(verdict(layout, 0, Buffer.from("aaaaabbbc"))).toBe(false);
});

test("a piece that does not exist is a RangeError", () => {
  const layout = readLayout(makeTorrent({ version: "v1", files: [{ path: "a", size: 5 }] }).torrent);
  for (const piece of [-1, 1, 0.5, Number.NaN]) expect(() => layout.slices(piece)).toThrow(RangeError);
});

function verdict(layout: TorrentLayout, piece: number, bytes: Uint8Array): boolean {
  const verifier = layout.verifier(piece);
  verifier.update(bytes);
  return verifier.matches();
}

function faultOf(torrent: Uint8Array): string | undefined {
  try {
    readLayout(torrent);
    return undefined;
  } catch (error) {
    return error instanceof LayoutError ? error.fault : `untyped: ${String(error)}`;
  }
}

/** Whatever was read can also be used: hostile numbers must not surface later. */
function expectTyped(bytes: Uint8Array): void {
  const layout = layoutOf(bytes);
  if (layout === undefined) return;
  for (const piece of new Set([0, layout.pieceCount - 1])) {
    expect(layout.pieceSize(piece)).toBeLessThanOrEqual(layout.pieceLength);
    layout.verifier(piece).matches();
  }
  for (const { path } of layout.files) expect(path).not.toMatch(/^\/|(^|\/)\.\.?(\/|$)|\/\/|\0/);
}

/** Lets through whatever is no LayoutError. */
function layoutOf(bytes: Uint8Array): TorrentLayout | undefined {
  try {
    return readLayout(bytes);
  } catch (error) {
    if (error instanceof LayoutError) return undefined;
    throw error;
  }
}
