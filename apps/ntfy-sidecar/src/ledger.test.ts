import type { StateDir } from "@qbit-sidecars/service";
import { expect, test } from "vitest";
import { newlyTracked } from "./follow-downloads.ts";
import { openLedger } from "./ledger.ts";

const nowMs = Date.UTC(2026, 0, 1);

/** A disk that is full until it is told otherwise. */
function disk() {
  const at = { isFull: true, content: undefined as string | undefined };
  const dir: StateDir = {
    dir: "memory",
    writable: () => !at.isFull,
    read: () => Promise.resolve(at.content),
    write(_name, content) {
      if (!at.isFull) at.content = content;
      return Promise.resolve(!at.isFull);
    },
    setAside: async () => undefined,
  };
  return { at, open: () => openLedger(dir, { nowMs, onUnusable: () => expect.unreachable("damaged") }) };
}

test("a first life that is killed early has begun all the same: what completed after it is news", async () => {
  const { at, open } = disk();
  at.isFull = false;
  await open();
  const later = await openLedger(
    {
      dir: "memory",
      writable: () => true,
      read: () => Promise.resolve(at.content),
      write: async () => true,
      setAside: async () => undefined,
    },
    { nowMs: nowMs + 60_000, onUnusable: () => expect.unreachable("damaged") },
  );
  expect(later.isNews({ hash: "a", completion_on: nowMs / 1000 + 30 })).toBe(true);
});

test("what a full disk did not take is written as soon as it does, although nothing has changed since", async () => {
  const { at, open } = disk();
  const ledger = await open();
  ledger.tracked.set("a", newlyTracked("a", { nowMs, fresh: false }));
  ledger.touch();
  await ledger.save();
  expect(at.content).toBeUndefined();
  at.isFull = false;
  await ledger.save();
  expect((await open()).tracked.has("a")).toBe(true);
});
