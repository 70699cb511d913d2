/**
 * The job queue, in words. Two backends keep this promise (`sqlite`, `redis`), one conformance suite holds them to it.
 *
 * **A job** is one wish: "apply the rules of this context to this torrent (or to all)". It is acknowledged when it is
 * stored; from then on it ends in exactly one of completed, failed, cancelled, whatever crashes in between.
 *
 *     pending ──► processing ──► completed | failed
 *        │  ◄── returned, not ready, put off, worker gone
 *        └─────► cancelled
 *
 * **A run** is what one worker does at a time: the oldest job that is due, and with it younger pending jobs that ask
 * the same (context, dry run, trace) of other torrents. Order: no job starts before an older pending one that covers
 * the same torrent; one that waits because it was not ready or was put off holds back only those that name its torrent. At most one run is held per queue, however many processes take from it; a queue belongs to one
 * qBittorrent. The workers that wait are hot stand-bys.
 *
 * **The fence.** A run is held until it is settled or lost. It is lost when its worker falls silent for the length of
 * the lease (killed, stopped, event loop blocked), or makes no progress for `hungAfterMs`. The next run may begin from
 * that moment, so a worker calls `run.assertHeld()` before each batch of writes, and no single write may be able to
 * arrive later than one lease after that call. `assertHeld` and `settle` reject with `RunLostError` once the run is
 * lost, and `signal` aborts as soon as this process knows. `fence` grows from run to run.
 *
 * **At least once.** A run that was lost or whose process died is made again: its jobs are pending again, older ones
 * first. So the writes of one job can be made twice, never by two runs at once. Setting a tag twice is no harm; for
 * what is (a message, a webhook, a blocklisting) the job's id is the durable key: it is the same in every attempt.
 * A job that was started ten times and never ended fails and says so; from its third start on it runs alone, so that
 * it takes nobody with it. A run that was given up as hung fails its jobs and is not made again.
 *
 * **Coalescing.** A wish that equals a pending job (context, hash, dry run, trace) is answered with that job. It stays
 * one job even when it was asked for a thousand times; if it waits for a time, it becomes due at the earlier one.
 *
 * **Hints.** What `subscribe` tells may be lost, the records may not: a listener that hears `everything` reads again.
 */
export interface JobQueue extends AsyncDisposable {
  readonly backend: Backend;
  /** What an operator should know and change, found out while opening: each a whole sentence. */
  readonly warnings: readonly string[];

  /**
   * Stores a job, or finds the pending one that asks the same. Resolves when it is on disk (calls that come at the
   * same time share one commit).
   * @throws QueueUnavailableError nothing is known to be stored; asking again is safe, because equal wishes coalesce
   */
  enqueue(wish: JobWish): Promise<Enqueued>;
  /** Undefined: there is no such job, or not any more. */
  get(id: string): Promise<Job | undefined>;
  /** What the outcome called `details` (plan, trace …); undefined when there is none. Apart, because it can be long. */
  details(id: string): Promise<Json | undefined>;
  /** Newest first. */
  list(filter?: JobFilter): Promise<JobPage>;
  /** Takes back a job that is pending, also one that waits for its torrent. */
  cancel(id: string): Promise<Cancelled>;
  /** How many jobs there are in each state. Cheap. */
  counts(): Promise<JobCounts>;
  stats(): Promise<QueueStats>;
  /** Whether the store answers and can be written, as far as is known without writing. Never rejects. */
  health(): Promise<{ readonly ok: boolean; readonly detail: string }>;
  /** Tells of changes as they happen, in all processes that use the queue. Returns what ends it. */
  subscribe(listener: (change: QueueChange) => void): () => void;

  /**
   * The next run; waits for one. Rejects with the signal's reason when it aborts first. One call at a time and queue
   * object; a run that is still held ends in being settled or lost before the next one is given out.
   * @throws QueueUnavailableError
   */
  take(options: { readonly signal: AbortSignal }): Promise<Run>;
  /** How many workers take from this queue now, in all processes, the stand-bys included. */
  workers(): Promise<number>;

  /** Compares records with indexes and makes them agree; the records are right. Also done while opening. */
  repair(): Promise<Repaired>;
  /** Removes jobs that ended (completed, failed or cancelled) more than so long ago. Resolves to their number. */
  removeEnded(options: { readonly olderThanMs: number }): Promise<number>;
}

export type Backend = "sqlite" | "redis";

export const jobStatuses = ["pending", "processing", "completed", "failed", "cancelled"] as const;
export type JobStatus = (typeof jobStatuses)[number];

export type JobWish = {
  /** Not empty. Undefined: the rules without a context. */
  readonly context?: string | undefined;
  /** Lower-case hex. Undefined: all torrents. */
  readonly hash?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly trace?: boolean | undefined;
  /** Not before so many milliseconds from now: gives qBittorrent time to settle. Default 0. */
  readonly delayMs?: number | undefined;
};

/** Times are ISO 8601 in UTC with milliseconds, `2025-12-13T10:00:00.000Z`. */
export type Job = {
  /** A UUID; younger jobs have greater ones. */
  readonly id: string;
  readonly context: string | null;
  readonly hash: string | null;
  readonly dryRun: boolean;
  readonly trace: boolean;
  readonly status: JobStatus;
  readonly createdAt: string;
  /** Of the last attempt; null while pending and never started. */
  readonly startedAt: string | null;
  /** Of completed, failed and cancelled jobs. */
  readonly completedAt: string | null;
  /** What a completed job says, small: the counters. */
  readonly result: JsonObject | null;
  /** Why a failed job failed. */
  readonly error: string | null;
  /** How often it was started. */
  readonly attempts: number;
  /** A pending job that waits: until when at least, and for what. */
  readonly dueAt: string | null;
  readonly waitsFor: string | null;
};

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json | undefined };

export type Enqueued = {
  readonly job: Job;
  /** True: the job stood already. */
  readonly coalesced: boolean;
};

export type JobFilter = {
  readonly status?: JobStatus | undefined;
  readonly context?: string | undefined;
  /** Created at or after, epoch milliseconds. */
  readonly fromMs?: number | undefined;
  /** Created before, epoch milliseconds. */
  readonly toMs?: number | undefined;
  /** 1 to 100, more is 100; default 50. */
  readonly limit?: number | undefined;
  /** Default 0. */
  readonly offset?: number | undefined;
};

export type JobPage = {
  /** How many jobs the filter matches, on all pages. */
  readonly total: number;
  /** As applied. */
  readonly limit: number;
  readonly offset: number;
  readonly jobs: readonly Job[];
};

export type Cancelled =
  | { readonly kind: "cancelled"; readonly job: Job }
  | { readonly kind: "not pending"; readonly status: JobStatus }
  | { readonly kind: "not found" };

export type JobCounts = Readonly<Record<JobStatus | "total", number>>;

export type QueueStats = {
  readonly jobs: JobCounts;
  /** Pending and processing. */
  readonly depth: number;
  /** Mean from start to end of the jobs completed in the last 24 hours; null when there are none. */
  readonly averageExecutionMs: number | null;
  /** Jobs completed or failed in the last 24 hours, for each of these hours in which the queue existed. */
  readonly jobsPerHour: number;
  readonly lastCompletedAt: string | null;
};

export type QueueChange =
  | { readonly kind: "job"; readonly id: string; readonly status: JobStatus }
  /** Something may have been missed (a lost connection), or many changed at once. */
  | { readonly kind: "everything" };

export type Run = AsyncDisposable & {
  readonly id: string;
  /** Greater than that of every run before. */
  readonly fence: number;
  /** What all of its jobs ask. */
  readonly context: string | null;
  readonly dryRun: boolean;
  readonly trace: boolean;
  /** At least one, oldest first. Two may name the same torrent. */
  readonly jobs: readonly Job[];
  /** The torrents of the jobs, each once; null: all torrents. */
  readonly hashes: readonly string[] | null;
  /** Aborts with RunLostError when the run is lost. */
  readonly signal: AbortSignal;
  /**
   * Resolves when this run is held now, for at least one more lease; counts as progress.
   * @throws RunLostError; QueueUnavailableError when nobody can tell: then nothing may be written either
   */
  assertHeld(): Promise<void>;
  /**
   * Says how jobs ended, all of them at once or in several calls. Settled jobs are not settled again.
   * @throws RunLostError nothing was recorded; QueueUnavailableError: call again, or the jobs are run again
   */
  settle(settlements: readonly Settlement[]): Promise<void>;
  /** Returns the jobs that were not settled, as far as that is possible, and ends the run. */
  [Symbol.asyncDispose](): Promise<void>;
};

export type Settlement = { readonly id: string; readonly outcome: Outcome };

export type Outcome =
  | { readonly kind: "completed"; readonly result: JsonObject; readonly details?: Json | undefined }
  | { readonly kind: "failed"; readonly error: string; readonly details?: Json | undefined }
  /**
   * The torrent is not there yet or lacks its data. The job comes back after 5 s, 30 s and 2 min; the fourth time it
   * is completed with `result` and `not_ready: reason` in it.
   */
  | {
      readonly kind: "not ready";
      readonly reason: string;
      readonly result: JsonObject;
      readonly details?: Json | undefined;
    }
  /**
   * Not done, because what it needs is away (qBittorrent, for all jobs). Comes back after `delayMs`, as often as its
   * worker says so: when it is to fail is the worker's to decide. None of the waits of "not ready" is used up.
   */
  | { readonly kind: "put off"; readonly reason: string; readonly delayMs: number }
  /** Not done, through no fault of the job (shutting down): pending again, ahead of younger ones, attempt not counted. */
  | { readonly kind: "returned" };

export type Repaired = {
  /** Sentences; empty when all was well. */
  readonly found: readonly string[];
};
