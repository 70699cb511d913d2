import type { JobQueue } from "./contract.ts";
import type { OpenQueueOptions } from "./queue-options.ts";

/**
 * Opens the queue, checks and repairs it. On SQLite jobs that were being processed are pending again, since nobody
 * else can have the file; on Redis that is up to whoever holds the lease.
 * @throws QueueOpenError
 */
export async function openQueue(options: OpenQueueOptions): Promise<JobQueue> {
  // Loaded late: each backend costs memory, BullMQ and ioredis 26 MB.
  if (options.backend === "sqlite")
    return (await import("./sqlite/sqlite-queue.ts")).openSqliteQueue(options);
  return await (await import("./redis/redis-queue.ts")).openRedisQueue(options);
}
