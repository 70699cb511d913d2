import { tempDir } from "@qbit-sidecars/testing";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { checkOutcome, extent, Mortal, wishOf } from "../kill-rounds.ts";
import { openQueue } from "../open-queue.ts";

const { rounds, jobs } = extent(process.env);

test(
  `a process that is killed ${rounds} times over ${jobs} jobs loses none, leaves none and repeats few`,
  { timeout: 600_000 },
  async () => {
    await using dir = await tempDir("jobs-");
    const path = join(dir.path, "qbt-rules.db");
    const effects = join(dir.path, "effects");
    const answered = new Map<number, string>();
    const acknowledged = new Map<number, string>();
    const wishes = Array.from({ length: jobs }, (_, n) => wishOf(n));
    for (let round = 0; round < rounds; round += 1) {
      const mortal = new Mortal({ queue: { backend: "sqlite", path, mostJobs: 20 }, effects }, answered);
      await mortal.ready();
      const upTo = Math.ceil((jobs * (round + 1)) / rounds);
      for (const wish of wishes.slice(0, upTo)) if (!answered.has(wish.n)) mortal.ask(wish);
      await delay(Math.random() * 250);
      await mortal.kill();
      for (const [n, id] of answered) acknowledged.set(n, id);
    }
    const last = new Mortal({ queue: { backend: "sqlite", path, mostJobs: 20 }, effects }, answered);
    await last.ready();
    for (const wish of wishes) if (!answered.has(wish.n)) last.ask(wish);
    await expect.poll(() => answered.size, { timeout: 60_000 }).toBe(jobs);
    await last.kill();
    await using queue = await openQueue({ backend: "sqlite", path });
    const stop = new AbortController();
    const rest = completeRest(queue, stop.signal);
    const { repeated } = await checkOutcome(queue, {
      ids: [...acknowledged.values(), ...answered.values()],
      effects,
    });
    stop.abort();
    await rest;
    // At most the one job that each kill met between its effect and its record.
    expect(repeated).toBeLessThanOrEqual(rounds + 1);
  },
);

async function completeRest(
  queue: Awaited<ReturnType<typeof openQueue>>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await using run = await queue.take({ signal });
      await run.settle(run.jobs.map(({ id }) => ({ id, outcome: { kind: "completed", result: {} } })));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
