import { isMissing, startRedis, tempDir } from "@qbit-sidecars/testing";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { checkOutcome, extent, Mortal, wishOf } from "../kill-rounds.ts";
import { openQueue } from "../open-queue.ts";
import { type RedisQueueOptions } from "../queue-options.ts";

const { rounds, jobs } = extent(process.env);
const processes = 3;

test.skipIf(await isMissing("Redis"))(
  `processes and Redis killed ${rounds} times over ${jobs} jobs: none lost, none left, never two runs at once`,
  { timeout: 900_000 },
  async () => {
    await using redis = await startRedis({ appendOnly: true });
    await using dir = await tempDir("jobs-");
    const effects = join(dir.path, "effects");
    const queueOptions: RedisQueueOptions = {
      backend: "redis",
      url: redis.url,
      mostJobs: 20,
      leaseMs: 1_000,
    };
    const answered = new Map<number, string>();
    const begin = async () => {
      const mortal = new Mortal({ queue: queueOptions, effects }, answered);
      await mortal.ready();
      return mortal;
    };
    // Each of them asks for jobs and does them.
    const mortals = await Promise.all(Array.from({ length: processes }, begin));
    const askUpTo = (upTo: number) => {
      for (let n = 0; n < upTo; n += 1) if (!answered.has(n)) mortals[n % processes]?.ask(wishOf(n));
    };
    try {
      for (let round = 0; round < rounds; round += 1) {
        askUpTo(Math.ceil((jobs * (round + 1)) / rounds));
        await delay(Math.random() * 300);
        const victim = round % (processes + 1);
        if (victim === processes) {
          await redis.kill();
          await redis.start();
        } else {
          await mortals[victim]?.kill();
          mortals[victim] = await begin();
        }
      }
      await expect
        .poll(() => (askUpTo(jobs), answered.size), { timeout: 60_000, interval: 1_000 })
        .toBe(jobs);
      await using queue = await openQueue(queueOptions);
      const { repeated } = await checkOutcome(queue, { ids: [...answered.values()], effects });
      expect(repeated).toBeLessThanOrEqual(rounds + 1);
    } finally {
      await Promise.all(mortals.map(async (mortal) => await mortal.kill()));
    }
  },
);
