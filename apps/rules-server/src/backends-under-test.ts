import { isMissing, startRedis } from "@qbit-sidecars/testing";

export type Backend = {
  readonly name: string;
  readonly missing: boolean;
  /** A new store for one queue, and the variables that lead a server to it. */
  readonly start: () => Promise<{ env: Record<string, string> } & AsyncDisposable>;
};

/** Where a queue can be: what holds for the one has to hold for the other. */
export const backends: readonly Backend[] = [
  {
    name: "SQLite",
    missing: false,
    start: async () => ({ env: {}, [Symbol.asyncDispose]: async () => {} }),
  },
  {
    name: "Redis",
    missing: await isMissing("Redis"),
    start: async () => {
      const redis = await startRedis({ appendOnly: true });
      return {
        env: { QBT_RULES_QUEUE_BACKEND: "redis", QBT_RULES_QUEUE_REDIS_URL: redis.url },
        [Symbol.asyncDispose]: async () => await redis[Symbol.asyncDispose](),
      };
    },
  },
];

export const backendsAtHand = backends.filter(({ missing }) => !missing);
