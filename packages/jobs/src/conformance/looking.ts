import { waitFor } from "@qbit-sidecars/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobQueue, QueueChange } from "../contract.ts";
import { hashOf, Model, stepOf } from "../queue-model.ts";
import { take, settleAll, completeAll, startedAt, type SetUp } from "./set-up.ts";

/** What every backend has to do: looking at jobs, and keeping few. */
export function describeLooking(setUp: SetUp, randomRuns: number): void {
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
