import { waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import type { JobWish } from "../contract.ts";
import { RunLostError } from "../errors.ts";
import { hashOf } from "../queue-model.ts";
import { take, completeAll, askFor, pendingAfter, type SetUp } from "./set-up.ts";

/** What every backend has to do: running jobs. */
export function describeRunning(setUp: SetUp): void {
  describe("running jobs", () => {
    test("oldest first", async () => {
      await using under = await setUp();
      const contexts = ["c", "a", "b"];
      for (const context of contexts) await under.queue.enqueue({ context });
      const started: (string | null)[] = [];
      for (const _ of contexts) {
        await using run = await take(under.queue);
        started.push(run.context);
        await completeAll(run);
      }
      expect(started).toEqual(contexts);
    });

    test("a job is processing while it runs, and completed with its result afterwards", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({ context: "x" });
      await under.clock.advance(1_000);
      await using run = await take(under.queue);
      expect(run).toMatchObject({ context: "x", hashes: null, dryRun: false, trace: false });
      await expect(under.queue.get(job.id)).resolves.toMatchObject({
        status: "processing",
        startedAt: "2025-12-13T10:00:01.000Z",
        attempts: 1,
      });
      await under.clock.advance(4_000);
      const details = { plan: [{ hash: hashOf(1), note: 'quotes " and ünïcode \u0000' }] };
      await run.settle([
        { id: job.id, outcome: { kind: "completed", result: { rules_matched: 3, dry_run: false }, details } },
      ]);
      await expect(under.queue.get(job.id)).resolves.toMatchObject({
        status: "completed",
        startedAt: "2025-12-13T10:00:01.000Z",
        completedAt: "2025-12-13T10:00:05.000Z",
        result: { rules_matched: 3, dry_run: false },
        error: null,
      });
      await expect(under.queue.details(job.id)).resolves.toEqual(details);
    });

    test("a failed job says why", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({});
      await using run = await take(under.queue);
      await run.settle([{ id: job.id, outcome: { kind: "failed", error: "Traceback:\n  line 1" } }]);
      await expect(under.queue.get(job.id)).resolves.toMatchObject({
        status: "failed",
        error: "Traceback:\n  line 1",
        result: null,
        completedAt: "2025-12-13T10:00:00.000Z",
      });
    });

    test("jobs of one context for many torrents are one run; other wishes are runs of their own", async () => {
      await using under = await setUp();
      const wishes: JobWish[] = [
        { context: "on_added", hash: hashOf(1) },
        { context: "on_added", hash: hashOf(2), dryRun: true },
        { context: "on_added", hash: hashOf(3) },
        { context: "on_completed", hash: hashOf(4) },
        { context: "on_added", hash: hashOf(5) },
      ];
      for (const wish of wishes) await under.queue.enqueue(wish);
      const runs: unknown[] = [];
      for (let n = 0; n < 3; n += 1) {
        await using run = await take(under.queue);
        runs.push([run.context, run.dryRun, run.hashes]);
        await completeAll(run);
      }
      expect(runs).toEqual([
        ["on_added", false, [hashOf(1), hashOf(3), hashOf(5)]],
        ["on_added", true, [hashOf(2)]],
        ["on_completed", false, [hashOf(4)]],
      ]);
    });

    test("a run has at most so many jobs", async () => {
      await using under = await setUp({ mostJobs: 3 });
      for (let n = 0; n < 4; n += 1) await under.queue.enqueue({ context: "x", hash: hashOf(n) });
      await using run = await take(under.queue);
      expect(run.jobs).toHaveLength(3);
    });

    test("the next run begins only when the one before is over", async () => {
      await using under = await setUp();
      await under.queue.enqueue({ context: "a" });
      await under.queue.enqueue({ context: "b" });
      const first = await take(under.queue);
      const next = take(under.queue);
      await expect(pendingAfter(next, 200)).resolves.toBe(true);
      await completeAll(first);
      const second = await next;
      expect(second.context).toBe("b");
      expect(second.fence).toBeGreaterThan(first.fence);
      await completeAll(second);
    });

    test("waiting for a job ends when one is asked for, and when the waiting is called off", async () => {
      await using under = await setUp();
      const stop = new AbortController();
      const idle = under.queue.take({ signal: stop.signal });
      await waitFor(async () => (await under.queue.workers()) === 1, { what: "the worker to be counted" });
      stop.abort(new Error("enough"));
      await expect(idle).rejects.toThrow("enough");
      const taking = take(under.queue);
      await under.queue.enqueue({ context: "x" });
      await completeAll(await taking);
    });

    test("what is not settled when the run is disposed is pending again, first, and counts as not tried", async () => {
      await using under = await setUp();
      const asked = await askFor(under.queue, 3);
      await under.queue.enqueue({ context: "later" });
      const [first] = asked;
      {
        await using run = await take(under.queue);
        await run.settle([{ id: first?.id ?? "", outcome: { kind: "completed", result: {} } }]);
      }
      await using run = await take(under.queue);
      expect(run.jobs.map(({ id, attempts }) => [id, attempts])).toEqual(
        asked.slice(1).map(({ id }) => [id, 1]),
      );
    });

    test("a run that is over is not held, and settles nothing", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({});
      const run = await take(under.queue);
      await run.assertHeld();
      await completeAll(run);
      await expect(run.assertHeld()).rejects.toThrow(RunLostError);
      await expect(run.settle([{ id: job.id, outcome: { kind: "failed", error: "late" } }])).rejects.toThrow(
        RunLostError,
      );
      await expect(under.queue.get(job.id)).resolves.toMatchObject({ status: "completed" });
    });
  });
}
