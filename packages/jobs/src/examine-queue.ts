import type { OpenQueueOptions } from "./queue-options.ts";

export type QueueExamined = {
  /** What is there, as a clause. */
  readonly seen: string;
  /** Whole sentences, as `JobQueue.warnings`. */
  readonly warnings: readonly string[];
  /** What the store's own clock says, epoch milliseconds; a file has none. */
  readonly theirMs?: number;
};

/**
 * Looks whether a queue can be opened, without opening it: nothing is written, and nobody who has it is disturbed.
 *
 * @throws QueueOpenError why not
 */
export async function examineQueue(options: OpenQueueOptions): Promise<QueueExamined> {
  if (options.backend === "sqlite")
    return (await import("./sqlite/examine-database.ts")).examineDatabase(options.path);
  return await (await import("./redis/examine-redis.ts")).examineRedis(options);
}
