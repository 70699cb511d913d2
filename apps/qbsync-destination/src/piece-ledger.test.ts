import { readLayout } from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { PieceLedger } from "./piece-ledger.ts";
import type { LogEntry } from "./piece-log.ts";

/** Pieces 0 and 1 are a's, 1 and 2 b's, 2 and 3 c's. */
const layout = readLayout(
  makeTorrent({
    version: "v1",
    name: "t",
    pieceLength: 16_384,
    files: ["a", "b", "c"].map((path) => ({ path, size: 20_000 })),
  }).torrent,
);

function record(ledger: PieceLedger, ...pieces: number[]): boolean[] {
  return pieces.map((piece) => {
    ledger.noteWritten(piece);
    return ledger.noteDurable(piece);
  });
}

test("a file is whole with its last piece, and an unselected one with what it shares", () => {
  const ledger = new PieceLedger(layout, [1]);
  expect(ledger.filesHere()).toEqual([0, 1, 2]);
  expect(record(ledger, 0, 1)).toEqual([false, true]);
  expect([0, 1, 2].map((file) => ledger.isWhole(file))).toEqual([true, false, false]);
  expect(record(ledger, 2, 3)).toEqual([true, true]);
  expect(ledger.isComplete).toBe(true);
  expect(ledger.partsOf(1)).toEqual([[0, 20_000]]);
});

test("what was given up before it was durable is not durable, and is needed again", () => {
  const ledger = new PieceLedger(layout, []);
  ledger.noteWritten(0);
  ledger.noteLost([0]);
  expect(ledger.noteDurable(0)).toBe(false);
  expect(ledger.isDurable(0)).toBe(false);
  expect([...ledger.needed()]).toEqual([0, 1, 2, 3]);
});

test("another selection tells whether more is wanted, and pieces that came before it stay", () => {
  const ledger = new PieceLedger(layout, []);
  record(ledger, 1);
  expect(ledger.select([0, 1])).toBe(false);
  expect([...ledger.needed()]).toEqual([2, 3]);
  expect(ledger.partsOf(0)).toEqual([[16_384, 20_000]]);
  expect(ledger.select([1])).toBe(true);
  expect([...ledger.needed()]).toEqual([0, 2, 3]);
});

test("of a log, what was written before the last sync is durable, and what after it the tail", () => {
  const entries: LogEntry[] = [
    { kind: "written", piece: 0, count: 2 },
    { kind: "lost", piece: 1, count: 1 },
    { kind: "durable", upTo: 64 },
    { kind: "written", piece: 2, count: 9 },
  ];
  const ledger = new PieceLedger(layout, []);
  const tail = ledger.read(entries.map((entry, index) => ({ entry, end: (index + 1) * 32 })));
  expect([...tail]).toEqual([2, 3]);
  expect([0, 1, 2, 3].map((piece) => ledger.isDurable(piece))).toEqual([true, false, false, false]);
});
