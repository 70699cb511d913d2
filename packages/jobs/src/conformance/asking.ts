import { describe, expect, test } from "vitest";
import type { JobWish } from "../contract.ts";
import { hashOf } from "../queue-model.ts";
import { take, completeAll, pendingAfter, type SetUp } from "./set-up.ts";

/** What every backend has to do: asking for jobs, and for their end. */
export function describeAsking(setUp: SetUp): void {
  describe("asking for jobs", () => {
    test("a job is pending, has what was asked, and is found by its id", async () => {
      await using under = await setUp();
      const { job, coalesced } = await under.queue.enqueue({
        context: "scheduled",
        hash: hashOf(1),
        trace: true,
      });
      expect(coalesced).toBe(false);
      expect(job).toEqual({
        id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
        context: "scheduled",
        hash: hashOf(1),
        dryRun: false,
        trace: true,
        status: "pending",
        createdAt: "2025-12-13T10:00:00.000Z",
        startedAt: null,
        completedAt: null,
        result: null,
        error: null,
        attempts: 0,
        dueAt: null,
        waitsFor: null,
      });
      await expect(under.queue.get(job.id)).resolves.toEqual(job);
      await expect(under.queue.get("no-such-job")).resolves.toBeUndefined();
      await expect(under.queue.details(job.id)).resolves.toBeUndefined();
    });

    test("the same wish again is answered with the job that stands", async () => {
      await using under = await setUp();
      const wish = { context: "on_added", hash: hashOf(1) };
      const many = await Promise.all(Array.from({ length: 50 }, () => under.queue.enqueue(wish)));
      const later = await under.queue.enqueue({ ...wish, dryRun: false });
      expect(new Set([...many, later].map(({ job }) => job.id)).size).toBe(1);
      expect(many.filter(({ coalesced }) => !coalesced)).toHaveLength(1);
      await expect(under.queue.counts()).resolves.toMatchObject({ pending: 1, total: 1 });
    });

    test("what differs in context, torrent, dry run or trace is another job", async () => {
      await using under = await setUp();
      const wishes: JobWish[] = [
        {},
        { context: "on_added" },
        { context: "on added" },
        { hash: hashOf(1) },
        { context: "on_added", hash: hashOf(1) },
        { context: "on_added", hash: hashOf(2) },
        { dryRun: true },
        { trace: true },
        { dryRun: true, trace: true },
      ];
      for (const wish of wishes) await under.queue.enqueue(wish);
      await expect(under.queue.counts()).resolves.toMatchObject({ pending: wishes.length });
    });

    test("a wish equals neither a running nor an ended job", async () => {
      await using under = await setUp();
      const first = await under.queue.enqueue({ context: "x" });
      await using run = await take(under.queue);
      const second = await under.queue.enqueue({ context: "x" });
      expect(second).toMatchObject({ coalesced: false });
      await completeAll(run);
      await completeAll(await take(under.queue));
      const third = await under.queue.enqueue({ context: "x" });
      expect(new Set([first, second, third].map(({ job }) => job.id)).size).toBe(3);
    });

    test("a job with a delay starts when it is over, or at the earlier time of an equal wish", async () => {
      await using under = await setUp();
      await under.queue.enqueue({ context: "x", delayMs: 60_000 });
      const { job } = await under.queue.enqueue({ context: "x", delayMs: 2_000 });
      expect(job.dueAt).toBe("2025-12-13T10:00:02.000Z");
      const taking = take(under.queue);
      await expect(pendingAfter(taking, 200)).resolves.toBe(true);
      await under.store.advance(under.clock, 2_000);
      await expect(taking.then((run) => run.jobs)).resolves.toMatchObject([{ id: job.id }]);
      await under.queue.enqueue({ context: "y", delayMs: 60_000 });
      const now = await under.queue.enqueue({ context: "y" });
      expect(now).toMatchObject({ coalesced: true, job: { dueAt: null } });
    });

    test("jobs are there after the queue was closed and opened again", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({ context: "x", hash: hashOf(7) });
      await under.queue[Symbol.asyncDispose]();
      await using again = await under.store.open({ clock: under.clock });
      await expect(again.get(job.id)).resolves.toEqual(job);
      await using run = await take(again);
      expect(run.jobs).toMatchObject([{ id: job.id, status: "processing" }]);
    });
  });

  describe("cancelling", () => {
    test("a pending job is cancelled and never runs", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({ context: "x" });
      await under.queue.enqueue({ context: "y" });
      await under.clock.advance(1_500);
      await expect(under.queue.cancel(job.id)).resolves.toMatchObject({
        kind: "cancelled",
        job: { id: job.id, status: "cancelled", completedAt: "2025-12-13T10:00:01.500Z" },
      });
      await using run = await take(under.queue);
      expect(run.context).toBe("y");
    });

    test("a job that is running or over is not cancelled", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({ context: "x" });
      await using run = await take(under.queue);
      await expect(under.queue.cancel(job.id)).resolves.toEqual({
        kind: "not pending",
        status: "processing",
      });
      await completeAll(run);
      await expect(under.queue.cancel(job.id)).resolves.toEqual({
        kind: "not pending",
        status: "completed",
      });
      for (const id of ["no-such-job", "00000000-0000-7000-8000-000000000000"])
        await expect(under.queue.cancel(id)).resolves.toEqual({ kind: "not found" });
    });

    test("a wish after a cancelled one is a new job", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({ context: "x" });
      await under.queue.cancel(job.id);
      const again = await under.queue.enqueue({ context: "x" });
      expect(again).toMatchObject({ coalesced: false });
      expect(again.job.id).not.toBe(job.id);
    });
  });
}
