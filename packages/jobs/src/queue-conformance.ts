import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Job, JobQueue, JobWish, QueueChange, Run } from "./contract.ts";
import { RunLostError } from "./errors.ts";
import type { QueueOptions } from "./queue-options.ts";
import { hashOf, Model, stepOf, type StoreUnderTest } from "./queue-model.ts";

const startedAt = Date.UTC(2025, 11, 13, 10);

/** What every backend has to do; the words are in contract.ts. */
export function describeQueue(
  makeStore: () => Promise<StoreUnderTest>,
  { randomRuns }: { randomRuns: number },
): void {
  const setUp = async (options: QueueOptions = {}) => {
    const store = await makeStore();
    const clock = new FakeClock(startedAt);
    const queue = await store.open({ clock, ...options });
    return {
      store,
      clock,
      queue,
      async [Symbol.asyncDispose]() {
        await queue[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
      },
    };
  };

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

  describe("a torrent that is not ready", () => {
    const notReady = { kind: "not ready", reason: "no metadata yet", result: { rules_matched: 0 } } as const;

    test("comes back after 5 s, 30 s and 2 min, then is completed with the reason", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({ context: "x", hash: hashOf(1) });
      for (const waitMs of [5_000, 30_000, 120_000]) {
        await using run = await take(under.queue);
        await run.settle([{ id: job.id, outcome: notReady }]);
        await expect(under.queue.get(job.id)).resolves.toMatchObject({
          status: "pending",
          waitsFor: "no metadata yet",
          dueAt: new Date(under.clock.now() + waitMs).toISOString(),
        });
        const next = take(under.queue);
        await under.store.advance(under.clock, waitMs - 1);
        await expect(pendingAfter(next, 200)).resolves.toBe(true);
        await under.store.advance(under.clock, 1);
        const again = await next;
        expect(again.jobs).toMatchObject([{ id: job.id, waitsFor: null, dueAt: null }]);
        await again[Symbol.asyncDispose]();
      }
      await using run = await take(under.queue);
      await run.settle([{ id: job.id, outcome: notReady }]);
      await expect(under.queue.get(job.id)).resolves.toMatchObject({
        status: "completed",
        result: { rules_matched: 0, not_ready: "no metadata yet" },
      });
    });

    test("does not hold up other jobs, and can be asked for again at once", async () => {
      await using under = await setUp();
      const wish = { context: "x", hash: hashOf(1) };
      const { job } = await under.queue.enqueue(wish);
      await settleAll(await take(under.queue), notReady);
      await under.queue.enqueue({ context: "y" });
      await using other = await take(under.queue);
      expect(other.context).toBe("y");
      await completeAll(other);
      await expect(under.queue.enqueue(wish)).resolves.toMatchObject({
        coalesced: true,
        job: { id: job.id },
      });
      await using run = await take(under.queue);
      expect(run.jobs).toMatchObject([{ id: job.id }]);
    });

    test("is not overtaken by younger ones about the same torrent, however often it has to wait", async () => {
      await using under = await setUp();
      const { job: older } = await under.queue.enqueue({ context: "added", hash: hashOf(1) });
      await settleAll(await take(under.queue), notReady);
      const { job: younger } = await under.queue.enqueue({ context: "finished", hash: hashOf(1) });
      await under.queue.enqueue({ context: "finished", hash: hashOf(2) });
      const other = await take(under.queue);
      expect(other.jobs).toMatchObject([{ hash: hashOf(2) }]);
      await completeAll(other);
      for (const waitMs of [5_000, 30_000]) {
        const next = take(under.queue);
        await expect(pendingAfter(next, 200)).resolves.toBe(true);
        await expect(under.queue.get(younger.id)).resolves.toMatchObject({
          status: "pending",
          waitsFor: "an older job about this torrent",
        });
        await under.store.advance(under.clock, waitMs);
        const again = await next;
        expect(again.jobs).toMatchObject([{ id: older.id }]);
        await settleAll(again, waitMs === 5_000 ? notReady : { kind: "completed", result: {} });
      }
      await using last = await take(under.queue);
      expect(last.jobs).toMatchObject([{ id: younger.id, waitsFor: null, dueAt: null }]);
    });

    test("can be cancelled while it waits", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({ hash: hashOf(1) });
      await settleAll(await take(under.queue), notReady);
      await expect(under.queue.cancel(job.id)).resolves.toMatchObject({ kind: "cancelled" });
      const next = take(under.queue);
      await under.store.advance(under.clock, 300_000);
      await expect(pendingAfter(next, 200)).resolves.toBe(true);
      await under.queue.enqueue({ context: "end" });
      await completeAll(await next);
    });
  });

  describe("a job that is put off", () => {
    const putOff = { kind: "put off", reason: "qBittorrent is away", delayMs: 60_000 } as const;

    test("comes back as often as its worker wants it to, and may still be not ready after that", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({ context: "x", hash: hashOf(1) });
      for (const attempts of [1, 2, 3, 4, 5, 6]) {
        await settleAll(await take(under.queue), putOff);
        await expect(under.queue.get(job.id)).resolves.toMatchObject({
          status: "pending",
          attempts,
          waitsFor: "qBittorrent is away",
          dueAt: new Date(under.clock.now() + 60_000).toISOString(),
        });
        await under.store.advance(under.clock, 60_000);
      }
      await settleAll(await take(under.queue), { kind: "not ready", reason: "no metadata yet", result: {} });
      await expect(under.queue.get(job.id)).resolves.toMatchObject({
        status: "pending",
        waitsFor: "no metadata yet",
        dueAt: new Date(under.clock.now() + 5_000).toISOString(),
      });
    });

    test("is not overtaken by younger ones about its torrent, stands for equal wishes, and can be cancelled", async () => {
      await using under = await setUp();
      const { job: older } = await under.queue.enqueue({ context: "added", hash: hashOf(1) });
      const { job: all } = await under.queue.enqueue({ context: "nightly" });
      await settleAll(await take(under.queue), putOff);
      await settleAll(await take(under.queue), putOff);
      await under.queue.enqueue({ context: "finished", hash: hashOf(1) });
      await expect(under.queue.enqueue({ context: "nightly", delayMs: 90_000 })).resolves.toMatchObject({
        coalesced: true,
        job: { id: all.id },
      });
      await expect(under.queue.cancel(all.id)).resolves.toMatchObject({ kind: "cancelled" });
      const next = take(under.queue);
      await expect(pendingAfter(next, 200)).resolves.toBe(true);
      await under.store.advance(under.clock, 60_000);
      const again = await next;
      expect(again.jobs).toMatchObject([{ id: older.id, waitsFor: null, dueAt: null }]);
      await completeAll(again);
      await using last = await take(under.queue);
      expect(last.jobs).toMatchObject([{ context: "finished" }]);
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
      await expect(under.queue.cancel("no-such-job")).resolves.toEqual({ kind: "not found" });
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

  describe("a run that is lost", () => {
    test("a run without progress is given up, its jobs fail, and the next run begins", async () => {
      await using under = await setUp({ hungAfterMs: 60_000 });
      const { job } = await under.queue.enqueue({ context: "hangs" });
      await under.queue.enqueue({ context: "next" });
      const hung = await take(under.queue);
      await under.store.advance(under.clock, 59_000);
      await hung.assertHeld();
      await under.store.advance(under.clock, 59_000);
      expect(hung.signal.aborted).toBe(false);
      await under.store.advance(under.clock, 1_000);
      await waitFor(() => hung.signal.aborted, { what: "the run to be given up" });
      await expect(hung.assertHeld()).rejects.toThrow(/no progress/u);
      await expect(completeAll(hung)).rejects.toThrow(RunLostError);
      await expect(under.queue.get(job.id)).resolves.toMatchObject({
        status: "failed",
        error: "given up: the run made no progress for 60 s",
      });
      await using next = await take(under.queue);
      expect(next.context).toBe("next");
    });

    test("jobs of a worker that ended without a word run again, and fail after the tenth time", async () => {
      await using under = await setUp();
      const { job } = await under.queue.enqueue({ context: "x", hash: hashOf(1) });
      const first = await take(under.queue);
      await under.store.crash(under.queue);
      await expect(first.assertHeld()).rejects.toThrow(RunLostError);
      await using second = await under.store.open({ clock: under.clock });
      const again = await take(second);
      expect(again.jobs).toMatchObject([{ id: job.id, attempts: 2 }]);
      expect(again.fence).toBeGreaterThan(first.fence);
      await under.store.crash(second);
      await under.store.setInterruptions(job.id, 9);
      await using third = await under.store.open({ clock: under.clock });
      await third.enqueue({ context: "probe" });
      await using run = await take(third);
      expect(run.context).toBe("probe");
      await expect(third.get(job.id)).resolves.toMatchObject({
        status: "failed",
        error: expect.stringContaining("10 runs of this job were lost"),
        completedAt: expect.any(String),
      });
    });

    test("jobs that were lost twice run alone", async () => {
      await using under = await setUp();
      const asked = await askFor(under.queue, 3);
      await under.queue[Symbol.asyncDispose]();
      const sizes: number[] = [];
      for (let n = 0; n < 3; n += 1) {
        await using queue = await under.store.open({ clock: under.clock });
        sizes.push((await take(queue)).jobs.length);
        await under.store.crash(queue);
      }
      expect(sizes).toEqual([asked.length, asked.length, 1]);
    });
  });

  describe("looking", () => {
    test("jobs are listed newest first, filtered and by pages", async () => {
      await using under = await setUp();
      const ids: string[] = [];
      for (let n = 0; n < 12; n += 1) {
        const context = n % 3 === 0 ? "a" : "b";
        ids.push((await under.queue.enqueue({ context, hash: hashOf(n) })).job.id);
        await under.clock.advance(1_000);
      }
      const [first = ""] = ids;
      await under.queue.cancel(first);
      const newest = ids.toReversed();
      const page = async (filter: Parameters<JobQueue["list"]>[0]) => {
        const { jobs, ...rest } = await under.queue.list(filter);
        return { ...rest, ids: jobs.map(({ id }) => id) };
      };
      await expect(page(undefined)).resolves.toEqual({ total: 12, limit: 50, offset: 0, ids: newest });
      await expect(page({ limit: 3, offset: 2 })).resolves.toEqual({
        total: 12,
        limit: 3,
        offset: 2,
        ids: newest.slice(2, 5),
      });
      await expect(page({ context: "a", status: "pending" })).resolves.toMatchObject({ total: 3 });
      await expect(page({ status: "cancelled" })).resolves.toMatchObject({ total: 1, ids: [first] });
      await expect(page({ context: "a", limit: 2, offset: 3 })).resolves.toMatchObject({
        total: 4,
        ids: [first],
      });
      await expect(
        page({ fromMs: startedAt + 2_000, toMs: startedAt + 5_000, context: "b" }),
      ).resolves.toMatchObject({ total: 2, ids: [ids[4], ids[2]] });
      await expect(page({ context: "nobody" })).resolves.toMatchObject({ total: 0, ids: [] });
      await expect(page({ offset: 99 })).resolves.toMatchObject({ total: 12, ids: [] });
    });

    test("a page holds 100 jobs at most, whatever is asked for", async () => {
      await using under = await setUp();
      await Promise.all(
        Array.from({ length: 103 }, (_, n) => under.queue.enqueue({ context: "x", hash: hashOf(n) })),
      );
      for (const limit of [101, 5_000, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
        const { jobs, ...page } = await under.queue.list({ limit });
        expect([page.total, page.limit, jobs.length]).toEqual([103, 100, 100]);
      }
      await expect(under.queue.list({ limit: -5, offset: -5 })).resolves.toMatchObject({
        limit: 1,
        offset: 0,
      });
      await expect(
        under.queue.list({ fromMs: -1e20, toMs: Number.POSITIVE_INFINITY, limit: Number.NaN }),
      ).resolves.toMatchObject({ total: 103 });
    });

    test("jobs are counted by state, and the day is summed up", async () => {
      await using under = await setUp();
      const idle = await under.queue.stats();
      expect(idle).toMatchObject({ depth: 0, averageExecutionMs: null, lastCompletedAt: null });
      for (const [context, takesMs] of [
        ["a", 1_000],
        ["b", 3_000],
      ] as const) {
        await under.queue.enqueue({ context });
        await using run = await take(under.queue);
        await under.clock.advance(takesMs);
        await completeAll(run);
      }
      await under.queue.enqueue({ context: "fails" });
      await settleAll(await take(under.queue), { kind: "failed", error: "no" });
      await under.queue.cancel((await under.queue.enqueue({ context: "d" })).job.id);
      await under.queue.enqueue({ context: "e" });
      await under.queue.enqueue({ context: "f" });
      await using _run = await take(under.queue);
      await expect(under.queue.stats()).resolves.toMatchObject({
        jobs: { total: 6, pending: 1, processing: 1, completed: 2, failed: 1, cancelled: 1 },
        depth: 2,
        averageExecutionMs: 2_000,
        jobsPerHour: 3,
        lastCompletedAt: "2025-12-13T10:00:04.000Z",
      });
      await expect(under.queue.counts()).resolves.toEqual((await under.queue.stats()).jobs);
      await expect(under.queue.health()).resolves.toMatchObject({ ok: true });
    });

    test("changes are told as they happen, to whoever still listens", async () => {
      await using under = await setUp();
      const heard: QueueChange[] = [];
      const end = under.queue.subscribe((change) => heard.push(change));
      const hears = async (id: string, status: string) =>
        await waitFor(
          () => heard.some((change) => change.kind === "job" && change.id === id && change.status === status),
          { what: `${status} to be told` },
        );
      // A listener may miss what happens while its connection is made.
      await waitFor(
        async () => {
          await under.queue.cancel((await under.queue.enqueue({ context: "warm-up" })).job.id);
          return heard.length > 0;
        },
        { what: "the first change to be told" },
      );
      const { job } = await under.queue.enqueue({ context: "x" });
      await hears(job.id, "pending");
      const run = await take(under.queue);
      await hears(job.id, "processing");
      await completeAll(run);
      await hears(job.id, "completed");
      end();
      const before = heard.length;
      const quiet = await under.queue.enqueue({ context: "y" });
      await under.queue.cancel(quiet.job.id);
      expect(heard).toHaveLength(before);
    });
  });

  describe("housekeeping", () => {
    test("jobs that ended so long ago are removed: completed, failed and cancelled ones, and no others", async () => {
      await using under = await setUp();
      const end = async (context: string, outcome: Parameters<typeof settleAll>[1]) => {
        const { job } = await under.queue.enqueue({ context });
        await settleAll(await take(under.queue), outcome);
        return job.id;
      };
      const removed = [
        await end("a", { kind: "completed", result: {}, details: { plan: [] } }),
        await end("b", { kind: "failed", error: "no" }),
        (await under.queue.enqueue({ context: "c" })).job.id,
      ];
      await under.queue.cancel(removed[2] ?? "");
      const old = await under.queue.enqueue({ context: "pending for long" });
      const day = 86_400_000;
      await under.store.advance(under.clock, 6 * day);
      const kept = await end("d", { kind: "completed", result: {} });
      await under.store.advance(under.clock, day + 1);
      await expect(under.queue.removeEnded({ olderThanMs: 7 * day })).resolves.toBe(3);
      for (const id of removed) await expect(under.queue.get(id)).resolves.toBeUndefined();
      await expect(under.queue.details(removed[0] ?? "")).resolves.toBeUndefined();
      await expect(under.queue.get(kept)).resolves.toBeDefined();
      await expect(under.queue.get(old.job.id)).resolves.toBeDefined();
      await expect(under.queue.removeEnded({ olderThanMs: 7 * day })).resolves.toBe(0);
      await expect(under.queue.repair()).resolves.toEqual({ found: [] });
    });
  });

  test(
    "whatever is asked, taken, settled, cancelled and lost: a model agrees, and the index with it",
    { timeout: 300_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(stepOf, { maxLength: 60, size: "max" }), async (steps) => {
          await using under = await setUp({ mostJobs: 3 });
          await using model = new Model(under);
          for (const step of steps) await model.apply(step);
          await model.check();
        }),
        { numRuns: randomRuns },
      );
    },
  );
}

async function take(queue: JobQueue): Promise<Run> {
  return await queue.take({ signal: AbortSignal.timeout(20_000) });
}

async function settleAll(run: Run, outcome: Parameters<Run["settle"]>[0][number]["outcome"]): Promise<void> {
  await run.settle(run.jobs.map(({ id }) => ({ id, outcome })));
}

async function completeAll(run: Run): Promise<void> {
  await settleAll(run, { kind: "completed", result: {} });
}

async function askFor(queue: JobQueue, count: number): Promise<Job[]> {
  const jobs: Job[] = [];
  for (let n = 0; n < count; n += 1) jobs.push((await queue.enqueue({ context: "x", hash: hashOf(n) })).job);
  return jobs;
}

async function pendingAfter(promise: Promise<unknown>, realMs: number): Promise<boolean> {
  const late = new Promise<"late">((resolve) => setTimeout(() => resolve("late"), realMs));
  return (await Promise.race([promise.catch(() => {}), late])) === "late";
}
