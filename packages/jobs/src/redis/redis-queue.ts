import type { JobQueue } from "../contract.ts";
import type { RedisQueueOptions } from "../open-queue.ts";

export function openRedisQueue(options: RedisQueueOptions): Promise<JobQueue> {
  return Promise.reject(new Error(`not built yet: ${options.url.length}`));
}
