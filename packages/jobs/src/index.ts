export * from "./contract.ts";
export { type OpenFault, QueueError, QueueOpenError, QueueUnavailableError, RunLostError } from "./errors.ts";
export { examineQueue, type QueueExamined } from "./examine-queue.ts";
export { keepTidy } from "./keep-tidy.ts";
export { openQueueWhenThere, type OpenWhenThereOptions } from "./open-when-there.ts";
export { openQueue } from "./open-queue.ts";
export type {
  OpenQueueOptions,
  QueueOptions,
  RedisQueueOptions,
  SqliteQueueOptions,
} from "./queue-options.ts";
