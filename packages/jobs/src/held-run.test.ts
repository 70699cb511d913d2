import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import type { Job } from "./contract.ts";
import { QueueUnavailableError, RunLostError } from "./errors.ts";
import { HeldRun, type RunStore } from "./held-run.ts";
import type { RecordChange } from "./settle-job.ts";

const job = (id: string): Job => ({
  id,
  context: null,
  hash: null,
  dryRun: false,
  trace: false,
  status: "processing",
  createdAt: "2026-01-01T00:00:00.000Z",
  startedAt: "2026-01-01T00:00:00.000Z",
  completedAt: null,
  result: null,
  error: null,
  attempts: 1,
  dueAt: null,
  waitsFor: null,
});

/** A run of two jobs over a store that can be told to fail. */
function hold() {
  const at = { isAway: false, isHeld: true, written: [] as RecordChange[][], released: 0 };
  const store: RunStore = {
    isHeld: async () => at.isHeld,
    async write(changes) {
      if (at.isAway) throw new QueueUnavailableError("the disk is full");
      if (at.isHeld) at.written.push([...changes]);
      return at.isHeld;
    },
    release: async () => void (at.released += 1),
  };
  const clock = new FakeClock();
  const jobs = ["one", "two"].map((id) => ({ job: job(id), notReady: 0 }));
  const options = { store, clock, log: undefined, hungAfterMs: 60_000, delaysMs: [1000] };
  return { at, clock, options, run: new HeldRun({ id: "run", fence: 1, jobs }, options) };
}

test("a run that is let go of while the store is away ends all the same, once", async () => {
  const { at, run } = hold();
  at.isAway = true;
  await run[Symbol.asyncDispose]();
  await run[Symbol.asyncDispose]();
  expect([at.released, at.written]).toEqual([1, []]);
});

test("a run that hangs is lost, also when its jobs cannot be marked as failed", async () => {
  const { at, run, clock } = hold();
  at.isAway = true;
  const advancing = clock.advance(61_000);
  await waitFor(() => run.signal.aborted, { what: "the run to be given up" });
  await advancing;
  expect(run.signal.reason).toMatchObject({ name: "RunLostError", reason: "hung" });
  await expect(run.assertHeld()).rejects.toBeInstanceOf(RunLostError);
  expect(at.released).toBe(1);
});

test("a run that another one has taken over records nothing", async () => {
  const { at, run } = hold();
  at.isHeld = false;
  const completed = { kind: "completed", result: {} } as const;
  await expect(run.settle([{ id: "one", outcome: completed }])).rejects.toMatchObject({ reason: "lease" });
  expect(at.written).toEqual([]);
});

test("a run that is over cannot be lost any more", async () => {
  const { at, run } = hold();
  const completed = { kind: "completed", result: {} } as const;
  await run.settle(["one", "two"].map((id) => ({ id, outcome: completed })));
  await run.lose("lease");
  expect([run.signal.aborted, at.released]).toEqual([false, 1]);
});

test("what is not its own, or settled already, is left out", async () => {
  const { at, run } = hold();
  const completed = { kind: "completed", result: {} } as const;
  for (const id of ["one", "one", "stranger"]) await run.settle([{ id, outcome: completed }]);
  expect(at.written.map((changes) => changes.length)).toEqual([1, 0, 0]);
  await run.settle([{ id: "two", outcome: completed }]);
  expect(at.released).toBe(1);
});

test("a run of no jobs is a mistake of the store", () => {
  const { options } = hold();
  expect(() => new HeldRun({ id: "run", fence: 1, jobs: [] }, options)).toThrow(RangeError);
});
