import type { Clock, Logger } from "@qbit-sidecars/service";

export type QueueOptions = {
  /** Where the queue tells of what it does by itself: jobs taken back, runs given up, retries. */
  readonly log?: Logger;
  readonly clock?: Clock;
  /** How long a silent worker keeps its run. Above the time that one write may take. Default 15 s. */
  readonly leaseMs?: number;
  /** How long a run may go without `assertHeld` or `settle` before it is given up. Default 10 min. */
  readonly hungAfterMs?: number;
  /** Most jobs of one run. Default 500. */
  readonly mostJobs?: number;
  /** Waits of a job that is not ready. Default 5 s, 30 s, 2 min. */
  readonly notReadyDelaysMs?: readonly number[];
};

export type SqliteQueueOptions = QueueOptions & {
  readonly backend: "sqlite";
  /** The database file; made when it is not there. Beside it lie `-wal` and, after a migration, a backup. */
  readonly path: string;
};

export type RedisQueueOptions = QueueOptions & {
  readonly backend: "redis";
  /** `redis://[user:password@]host:port[/db]` or `rediss://…`. */
  readonly url: string;
  /** First part of every key; one for each qBittorrent. Default "qbt_rules". */
  readonly keyPrefix?: string;
  /** How often every worker looks for a lease that is over. Default a third of `leaseMs`. */
  readonly lookForLostEveryMs?: number;
};

export type OpenQueueOptions = SqliteQueueOptions | RedisQueueOptions;

export const queueDefaults = {
  leaseMs: 15_000,
  hungAfterMs: 600_000,
  mostJobs: 500,
  notReadyDelaysMs: [5_000, 30_000, 120_000],
} as const;
