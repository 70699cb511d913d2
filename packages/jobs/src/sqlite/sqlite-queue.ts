import type { JobQueue } from "../contract.ts";
import type { SqliteQueueOptions } from "../open-queue.ts";

export function openSqliteQueue(options: SqliteQueueOptions): JobQueue {
  throw new Error(`not built yet: ${options.path}`);
}
