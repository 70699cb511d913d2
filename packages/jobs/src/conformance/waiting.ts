import { describe, expect, test } from "vitest";
import { hashOf } from "../queue-model.ts";
import { take, settleAll, completeAll, pendingAfter, type SetUp } from "./set-up.ts";

/** What every backend has to do: jobs that wait for a torrent or for qBittorrent. */
export function describeWaiting(setUp: SetUp): void {
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
}
