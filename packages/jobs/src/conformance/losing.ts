import { waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { QueueUnavailableError, RunLostError } from "../errors.ts";
import { hashOf } from "../queue-model.ts";
import { take, completeAll, askFor, type SetUp } from "./set-up.ts";

/** What every backend has to do: runs that are lost, and the end of a queue. */
export function describeLosing(setUp: SetUp): void {
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

  describe("a queue that is closed", () => {
    test("loses its run, ends the waiting, refuses what comes later, and is closed once", async () => {
      await using under = await setUp();
      const { queue } = under;
      await queue.enqueue({ context: "x" });
      const run = await take(queue);
      const calledOff = take(queue).catch((error: unknown) => error);
      await expect(take(queue)).rejects.toThrow("being taken from already");
      await queue[Symbol.asyncDispose]();
      expect(run.signal.reason).toMatchObject({ name: "RunLostError", reason: "closed" });
      await expect(run.assertHeld()).rejects.toBe(run.signal.reason);
      expect(await calledOff).toBeInstanceOf(QueueUnavailableError);
      await expect(queue.health()).resolves.toMatchObject({ ok: false });
      await expect(queue.enqueue({ context: "y" })).rejects.toBeInstanceOf(QueueUnavailableError);
      await expect(queue.counts()).rejects.toBeInstanceOf(QueueUnavailableError);
      await queue[Symbol.asyncDispose]();
    });
  });
}
