import { isMissing, type RunningRedis, startRedis } from "@qbit-sidecars/testing";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe } from "vitest";
import { openQueue } from "../open-queue.ts";
import { describeQueue } from "../queue-conformance.ts";

const isLong = process.env.QBIT_SIDECARS_LONG === "1";
const randomRuns = isLong ? 150 : 10;
const servers = isLong ? (["Redis", "Valkey"] as const) : (["Redis"] as const);

for (const name of servers)
  describe.skipIf(await isMissing(name))(`a queue in ${name}`, () => {
    describeServer(name);
  });

function describeServer(name: (typeof servers)[number]): void {
  let server: RunningRedis;
  let redis: Redis;
  let stores = 0;
  beforeAll(async () => {
    server = await startRedis({ server: name, appendOnly: true });
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server[Symbol.asyncDispose]();
  });

  describeQueue(
    async () => {
      stores += 1;
      const keyPrefix = `rules-${stores}`;
      const bell = new Queue("doorbell", { connection: redis, prefix: keyPrefix });
      const expireLeases = async () => {
        const locks = await redis.keys(`${keyPrefix}:doorbell:*:lock`);
        if (locks.length > 0) await redis.del(locks);
      };
      return {
        open: async (options) =>
          await openQueue({
            ...options,
            backend: "redis",
            url: server.url,
            keyPrefix,
            lookForLostEveryMs: 50,
          }),
        async crash(queue) {
          await queue[Symbol.asyncDispose]();
          await expireLeases();
        },
        async advance(clock, ms) {
          await clock.advance(ms);
          // BullMQ's delays are real time.
          await bell.promoteJobs();
        },
        setInterruptions: async (id, count) =>
          void (await redis.hset(`${keyPrefix}:jobs:${id}`, "interrupted", count)),
        [Symbol.asyncDispose]: async () => await bell.close(),
      };
    },
    { randomRuns },
  );
}
