export * from "./contract.ts";
export { type OpenFault, QueueError, QueueOpenError, QueueUnavailableError, RunLostError } from "./errors.ts";
export {
  openQueue,
  type OpenQueueOptions,
  type QueueOptions,
  type RedisQueueOptions,
  type SqliteQueueOptions,
} from "./open-queue.ts";
