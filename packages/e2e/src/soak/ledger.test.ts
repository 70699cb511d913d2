import { expect, test } from "vitest";
import { Ledger, wrongIn } from "./ledger.ts";

const books = { jobs: "at least once", notifications: "exactly once", pieces: "exactly once" } as const;

/** One of each kind, sent at 100 and done at 150. */
function goodLedger(): Ledger {
  const ledger = new Ledger(books);
  for (const kind of Object.keys(books)) {
    ledger.sent(kind, "first", { at: 100 });
    ledger.done(kind, "first", 150);
  }
  return ledger;
}

test("what was sent and done is right", () => {
  const lines = goodLedger().lines();
  expect(wrongIn(lines)).toEqual([]);
  expect(lines[0]).toEqual({
    kind: "jobs",
    promised: "at least once",
    sent: 1,
    done: 1,
    lost: 0,
    duplicated: 0,
    p50Ms: 50,
    maxMs: 50,
  });
});

test("what was sent and never done is lost, as many as it stands for", () => {
  const ledger = goodLedger();
  ledger.sent("jobs", "second", { at: 200 });
  ledger.sent("pieces", "of a torrent", { at: 200, count: 16 });
  expect(ledger.open).toEqual(["jobs second", "pieces of a torrent"]);
  expect(wrongIn(ledger.lines())).toEqual(["jobs: 1 lost", "pieces: 16 lost"]);
});

test("what is done twice is wrong only where once was promised", () => {
  const ledger = goodLedger();
  ledger.done("jobs", "first", 160);
  ledger.done("notifications", "first", 160);
  const lines = ledger.lines();
  expect(lines.map(({ duplicated }) => duplicated)).toEqual([1, 1, 0]);
  expect(wrongIn(lines)).toEqual(["notifications: 1 duplicated"]);
  expect(lines[1]?.maxMs).toBe(50);
});

test("what is closed stays in the account, and what is open cannot be closed away", () => {
  const ledger = goodLedger();
  ledger.done("notifications", "first", 160);
  ledger.close("notifications", "first");
  ledger.sent("jobs", "second", { at: 200 });
  ledger.close("jobs", "second");
  expect(wrongIn(ledger.lines())).toEqual(["jobs: 1 lost", "notifications: 1 duplicated"]);
});

test("a kind of which nothing was sent proves nothing", () => {
  const ledger = new Ledger({ jobs: "at least once" });
  expect(wrongIn(ledger.lines())).toEqual(["no jobs was sent"]);
});

test("an event that the ledger does not know is a fault of who keeps it", () => {
  const ledger = goodLedger();
  expect(() => ledger.done("jobs", "never sent", 1)).toThrow("done and never sent");
  expect(() => ledger.sent("jobs", "first", { at: 1 })).toThrow("sent before");
  expect(() => ledger.sent("letters", "first", { at: 1 })).toThrow("knows no letters");
});
