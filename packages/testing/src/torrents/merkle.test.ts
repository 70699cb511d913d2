import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { fileTree } from "./merkle.ts";

const zero = Buffer.alloc(32);
const [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map((text) => sha256(Buffer.from(text))) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];

describe("the hash tree of a file", () => {
  test("of one block is the block's hash", () => {
    expect(fileTree([a], 65_536)).toEqual({ root: a, pieceLayer: [] });
  });

  test("within one piece is as tall as its blocks need, filled up with zeros", () => {
    const root = sha256(sha256(a, b), sha256(c, zero));
    expect(fileTree([a, b, c], 16 * 16_384)).toEqual({ root, pieceLayer: [] });
  });

  test("over several pieces has a layer of one hash for each piece", () => {
    const pieces = [sha256(a, b), sha256(c, d), sha256(e, zero)];
    const root = sha256(sha256(pieces[0]!, pieces[1]!), sha256(pieces[2]!, sha256(zero, zero)));
    expect(fileTree([a, b, c, d, e], 2 * 16_384)).toEqual({ root, pieceLayer: pieces });
  });
});

function sha256(...parts: Buffer[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}
