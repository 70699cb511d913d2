import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeTorrent } from "@qbit-sidecars/testing";
import { BencodeError, dictionarySpans, endOf } from "./bencode.ts";
import { infohashesOfMagnet, infohashesOfTorrent } from "./infohash.ts";

const files = [
  { path: "a", size: 30_000 },
  { path: "b/c", size: 1 },
];

test.each(["v1", "v2", "hybrid"] as const)("a %s torrent has the infohashes it was made with", (version) => {
  const made = makeTorrent({ version, files, trackers: ["http://127.0.0.1/a"] });
  const hashes = infohashesOfTorrent(made.torrent);
  expect(hashes).toEqual({
    ...(made.infohashV1 === undefined ? {} : { v1: made.infohashV1 }),
    ...(made.infohashV2 === undefined ? {} : { v2: made.infohashV2 }),
    id: made.torrentId,
  });
});

describe("garbage", () => {
  const { torrent } = makeTorrent({ version: "hybrid", files });

  test("of any kind is refused with a BencodeError, never another", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => refusesOrReads(bytes)));
    const pieces = fc.constantFrom(
      "d",
      "l",
      "e",
      "i",
      "1:",
      "4:info",
      "-",
      "i1e",
      "0:",
      "9999999999:",
      "d4:infod",
    );
    const texts = fc.array(pieces, { maxLength: 60 }).map((parts) => Buffer.from(parts.join("")));
    fc.assert(
      fc.property(texts, (bytes) => refusesOrReads(bytes)),
      { numRuns: 2000 },
    );
  });

  test("in the middle of a good torrent is survived", () => {
    const change = fc.tuple(fc.nat(torrent.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), (changes) => {
        const bytes = Buffer.from(torrent);
        for (const [at, value] of changes) bytes[at] = value;
        return refusesOrReads(bytes);
      }),
    );
  });

  test("at the end, a cut, is a BencodeError", () => {
    for (let length = 0; length < torrent.length; length += 7) {
      expect(() => endOf(torrent.subarray(0, length), 0)).toThrow(BencodeError);
    }
  });

  test("nested a million times does not exhaust the stack", () => {
    expect(() => dictionarySpans(Buffer.from(`d1:a${"l".repeat(1_000_000)}`))).toThrow("nested too deeply");
  });
});

/** An infohash or a BencodeError: anything else is thrown on. */
function refusesOrReads(bytes: Uint8Array): boolean {
  try {
    return /^[0-9a-f]{40}$/.test(infohashesOfTorrent(bytes).id);
  } catch (error) {
    if (error instanceof BencodeError) return true;
    throw error;
  }
}

test.each([
  ["hex", "magnet:?xt=urn:btih:C12FE1C06BBA254A9DC9F519B335AA7C1367A88A&dn=x"],
  ["base32", "magnet:?dn=x&xt=urn:btih:yex6dqdlxisuvhoj6um3gnnkpqjwpkek"],
])("a magnet link's infohash is read from %s", (_form, link) => {
  expect(infohashesOfMagnet(link)).toEqual({
    v1: "c12fe1c06bba254a9dc9f519b335aa7c1367a88a",
    id: "c12fe1c06bba254a9dc9f519b335aa7c1367a88a",
  });
});

test("a hybrid magnet link goes by its v2 infohash", () => {
  const v2 = "0123456789abcdef".repeat(4);
  const link = `magnet:?xt=urn:btih:${"a".repeat(40)}&xt=urn:btmh:1220${v2}`;
  expect(infohashesOfMagnet(link)).toEqual({ v1: "a".repeat(40), v2, id: v2.slice(0, 40) });
});

test("what is no magnet link has no infohash", () => {
  expect(infohashesOfMagnet("http://example.org/?xt=urn:btih:aaaa")).toBeUndefined();
  expect(infohashesOfMagnet("magnet:?xt=urn:btih:xyz")).toBeUndefined();
});
