export * from "./contract.ts";
export { type OpenFault, QueueError, QueueOpenError, QueueUnavailableError, RunLostError } from "./errors.ts";
export { keepTidy } from "./keep-tidy.ts";
export { openQueueWhenThere, type OpenWhenThereOptions } from "./open-when-there.ts";
export {
  openQueue,
  type OpenQueueOptions,
  type QueueOptions,
  type RedisQueueOptions,
  type SqliteQueueOptions,
} from "./open-queue.ts";
