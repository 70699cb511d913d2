import fc from "fast-check";
import { expect, test } from "vitest";
import { PieceSet } from "./piece-set.ts";

test("is a set, whatever is added and deleted", () => {
  const step = fc.record({ add: fc.boolean(), piece: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const set = new PieceSet(41);
      const model = new Set<number>();
      for (const { add, piece } of steps) {
        expect(add ? set.add(piece) : set.delete(piece)).toBe(add !== model.has(piece));
        if (add) model.add(piece);
        else model.delete(piece);
      }
      expect([...set]).toEqual([...model].toSorted((a, b) => a - b));
      expect(set.size).toBe(model.size);
      expect(set.firstFrom(17)).toBe([...set].find((piece) => piece >= 17));
      expect([...PieceSet.fromBytes(set.toBytes(), 41)]).toEqual([...set]);
      expect(PieceSet.fromBytes(set.toBytes(), 41).size).toBe(set.size);
    }),
  );
});

test("is BitTorrent's bitfield", () => {
  const set = new PieceSet(10);
  set.add(0);
  set.add(9);
  expect(Buffer.from(set.toBytes()).toString("hex")).toBe("8040");
});

test("takes no bitfield of another torrent", () => {
  expect(() => PieceSet.fromBytes(Buffer.from([0]), 10)).toThrow("a bitfield of 1 bytes for 10 pieces");
  expect(() => PieceSet.fromBytes(Buffer.from([0, 0x20]), 10)).toThrow("bits beyond its 10 pieces");
  expect(() => new PieceSet(10).add(10)).toThrow("there is no piece 10 of 10");
});
