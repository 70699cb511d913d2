import { type Clock, type Logger, messageWithCauses, systemClock } from "@qbit-sidecars/service";
import { Redis } from "ioredis";
import { randomUUID } from "node:crypto";
import {
  type Cancelled,
  type Enqueued,
  type Job,
  type JobCounts,
  type JobFilter,
  type JobPage,
  type JobQueue,
  jobStatuses,
  type JobWish,
  type Json,
  type QueueChange,
  type QueueStats,
  type Repaired,
  type Run,
} from "../contract.ts";
import { QueueError, QueueOpenError, QueueUnavailableError } from "../errors.ts";
import { gather } from "../gather.ts";
import { HeldRun, type RunStore, type TakenRun } from "../held-run.ts";
import { boundFilter } from "../job-filter.ts";
import { JobIds } from "../job-ids.ts";
import { queueDefaults, type RedisQueueOptions } from "../queue-options.ts";
import { Changes } from "./changes.ts";
import { checkServer } from "./check-server.ts";
import { format, formatKey, tooNew } from "./format.ts";
import { Doorbell, type Lease } from "./doorbell.ts";
import { must, storedJobOf } from "./job-record.ts";
import { JobScripts } from "./job-scripts.ts";
import { removeEnded, repairIndex } from "./housekeeping.ts";
import { Ringing } from "./ringing.ts";
import { settlementArguments } from "./settle-changes.ts";
import { readCounts, readStats } from "./stats.ts";
import { takeDue } from "./take-due.ts";
import { unreachable } from "./unreachable.ts";
import { unlessAborted } from "./unless-aborted.ts";
import { WorkerPresence } from "./worker-presence.ts";

/** Commands are refused after two failed attempts to connect: with at most 0.3 s between them, within a second. */
const retryStrategy = (times: number): number => Math.min(times * 50, 300);

/** @throws QueueOpenError */
export async function openRedisQueue(options: RedisQueueOptions): Promise<JobQueue> {
  const { url, log } = options;
  const redis = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 2,
    retryStrategy,
    connectTimeout: 5_000,
    commandTimeout: 10_000,
  });
  // Says why where connect() only says that the connection was closed: a wrong password.
  let lastError: unknown;
  redis.on("error", (err: Error) => {
    lastError = err;
    log?.debug({ err }, "the connection to Redis");
  });
  try {
    await redis.connect();
    const warnings = await checkServer(redis);
    const queue = new RedisQueue(redis, { ...options, warnings });
    await queue.prepare();
    return queue;
  } catch (error) {
    redis.disconnect();
    if (error instanceof QueueOpenError) throw error;
    throw unreachable(url, lastError ?? error);
  }
}

type Prepared = RedisQueueOptions & { readonly warnings: readonly string[] };

/** The queue in Redis: records and index by scripts, bell and lease by BullMQ. */
class RedisQueue implements JobQueue {
  readonly backend = "redis";
  readonly warnings: readonly string[];
  readonly enqueue: (wish: JobWish) => Promise<Enqueued>;

  readonly #scripts: JobScripts;
  readonly #bell: Doorbell;
  readonly #ringing: Ringing;
  readonly #changes: Changes;
  readonly #presence: WorkerPresence;
  readonly #clock: Clock;
  readonly #log: Logger | undefined;
  readonly #ids: JobIds;
  readonly #options: Required<Pick<Prepared, "hungAfterMs" | "mostJobs" | "notReadyDelaysMs">>;
  readonly #closing = new AbortController();
  #run: HeldRun | undefined;
  #runEnded: Promise<void> = Promise.resolve();
  #taking = false;

  constructor(redis: Redis, options: Prepared) {
    const {
      url,
      keyPrefix = "qbt_rules",
      clock = systemClock,
      log,
      leaseMs = queueDefaults.leaseMs,
    } = options;
    this.warnings = options.warnings;
    this.#clock = clock;
    this.#log = log;
    this.#options = { ...queueDefaults, ...options };
    this.#ids = new JobIds(() => clock.now());
    this.#scripts = new JobScripts(redis, keyPrefix);
    const connect = () => {
      const connection = new Redis(url, { maxRetriesPerRequest: null, enableReadyCheck: true });
      connection.on("error", (err: Error) => log?.debug({ err }, "the connection to Redis"));
      this.#closing.signal.addEventListener("abort", () => connection.disconnect());
      return connection;
    };
    this.#bell = new Doorbell({
      redis,
      blocking: connect,
      prefix: keyPrefix,
      leaseMs,
      lookForLostEveryMs: options.lookForLostEveryMs ?? Math.ceil(leaseMs / 3),
      log,
    });
    const { signal: closing } = this.#closing;
    this.#ringing = new Ringing({ bell: this.#bell, scripts: this.#scripts, clock, log, closing });
    this.#changes = new Changes({ connect, channel: this.#scripts.key("changes"), log });
    this.#presence = new WorkerPresence(this.#scripts, leaseMs);
    this.enqueue = gather(async (wishes) => await this.#enqueueAll(wishes));
    redis.on("ready", () => void this.#ringing.reconnected());
  }

  async prepare(): Promise<void> {
    await this.#refuseNewer();
    await this.#bell.limit();
    await this.#scripts.ask(
      "opening the queue",
      async (redis) => await redis.setnx(this.#scripts.key("queue:opened_at"), this.#clock.now()),
    );
    const { found } = await this.repair();
    if (found.length > 0) this.#log?.warn({ found }, "the job queue was repaired");
  }

  /** Programs of two versions may meet here: the older one keeps its hands off what it would misread. */
  async #refuseNewer(): Promise<void> {
    const key = this.#scripts.key(formatKey);
    const found = await this.#scripts.ask("opening the queue", async (redis) => {
      await redis.setnx(key, format);
      return await redis.get(key);
    });
    if (Number(found) > format) throw tooNew(Number(found));
  }

  async #enqueueAll(wishes: readonly JobWish[]): Promise<Enqueued[]> {
    const now = this.#clock.now();
    const asked = wishes.map(({ context, hash, dryRun = false, trace = false, delayMs = 0 }) => ({
      id: this.#ids.next(),
      wish: JSON.stringify([context ?? null, hash ?? null, dryRun, trace]),
      context,
      hash,
      dryRun: Number(dryRun),
      trace: Number(trace),
      due: delayMs > 0 ? now + delayMs : 0,
    }));
    const answers = await this.#scripts.run("enqueue", {
      doing: "storing jobs",
      args: [isoOf(now), now / 1000, JSON.stringify(asked)],
    });
    await this.#ringing.ring();
    return answers.map(([isNew, record]) => ({ job: must(record).job, coalesced: isNew === 0 }));
  }

  async get(id: string): Promise<Job | undefined> {
    if (!isJobId(id)) return undefined;
    const record = await this.#scripts.run("read", { doing: "reading a job", args: [id] });
    return storedJobOf(record)?.job;
  }

  async details(id: string): Promise<Json | undefined> {
    if (!isJobId(id)) return undefined;
    const key = this.#scripts.key(`jobs:${id}`);
    const details = await this.#scripts.ask("reading a job's details", (redis) => redis.hget(key, "details"));
    return details === null ? undefined : JSON.parse(details);
  }

  async list(asked: JobFilter = {}): Promise<JobPage> {
    const { status = "", context = "", fromMs, toMs, limit, offset } = boundFilter(asked);
    const from = fromMs === undefined ? "-inf" : fromMs / 1000;
    const to = toMs === undefined ? "+inf" : `(${toMs / 1000}`;
    const [total, records] = await this.#scripts.run("list", {
      doing: "listing jobs",
      args: [this.#scripts.key(`tmp:${randomUUID()}`), status, context, from, to, offset, limit],
    });
    return { total, limit, offset, jobs: records.flatMap((record) => storedJobOf(record)?.job ?? []) };
  }

  async counts(): Promise<JobCounts> {
    return await readCounts(this.#scripts);
  }

  async stats(): Promise<QueueStats> {
    return await readStats(this.#scripts, this.#clock.now());
  }

  async cancel(id: string): Promise<Cancelled> {
    if (!isJobId(id)) return { kind: "not found" };
    const [before, record] = await this.#scripts.run("cancel", {
      doing: "cancelling a job",
      args: [id, isoOf(this.#clock.now())],
    });
    const status = jobStatuses.find((each) => each === before);
    if (status === undefined) return { kind: "not found" };
    return status === "pending"
      ? { kind: "cancelled", job: must(record).job }
      : { kind: "not pending", status };
  }

  async health(): Promise<{ ok: boolean; detail: string }> {
    try {
      await this.#scripts.ask("asking Redis", async (redis) => await redis.ping());
      return { ok: true, detail: "Redis answers" };
    } catch (error) {
      return { ok: false, detail: messageWithCauses(error) };
    }
  }

  subscribe(listener: (change: QueueChange) => void): () => void {
    return this.#changes.add(listener);
  }

  async take({ signal }: { readonly signal: AbortSignal }): Promise<Run> {
    if (this.#taking) throw new Error("this queue is being taken from already");
    this.#taking = true;
    const until = AbortSignal.any([signal, this.#closing.signal]);
    try {
      await this.#presence.appear();
      await unlessAborted(this.#runEnded, until);
      while (true) {
        const lease = await this.#bell.answer(until);
        const run = await this.#begin(lease);
        if (run !== undefined) return run;
      }
    } catch (error) {
      if (until.aborted || error instanceof QueueError) throw error;
      throw new QueueUnavailableError("waiting for a job", { cause: error });
    } finally {
      this.#taking = false;
    }
  }

  async workers(): Promise<number> {
    return await this.#presence.count();
  }

  async repair(): Promise<Repaired> {
    const found = await repairIndex(this.#scripts);
    await this.#ringing.again();
    return { found };
  }

  async removeEnded({ olderThanMs }: { readonly olderThanMs: number }): Promise<number> {
    return await removeEnded(this.#scripts, this.#clock.now() - olderThanMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new QueueUnavailableError("the queue was closed"));
    await this.#run?.lose("closed");
    const { redis } = this.#scripts;
    if (redis.status === "ready") await this.#presence.leave();
    await this.#bell[Symbol.asyncDispose]();
    redis.disconnect();
  }

  /** The oldest jobs that are due, under this lease; without any the lease is given back. */
  async #begin(lease: Lease): Promise<HeldRun | undefined> {
    try {
      const taken = await takeDue(this.#scripts, {
        ids: this.#ids,
        mostJobs: this.#options.mostJobs,
        clock: this.#clock,
        log: this.#log,
      });
      if (taken !== undefined) return this.#hold(taken, lease);
      await this.#giveBack(lease);
      return undefined;
    } catch (error) {
      lease.drop();
      throw error;
    }
  }

  #hold(taken: TakenRun, lease: Lease): HeldRun {
    const over = Promise.withResolvers<void>();
    this.#runEnded = over.promise;
    const run = new HeldRun(taken, {
      store: this.#storeFor(taken, lease, over.resolve),
      clock: this.#clock,
      log: this.#log,
      hungAfterMs: this.#options.hungAfterMs,
      delaysMs: this.#options.notReadyDelaysMs,
    });
    this.#run = run;
    lease.lost.addEventListener("abort", () => void run.lose("lease"), { once: true });
    return run;
  }

  #storeFor({ id, jobs }: TakenRun, lease: Lease, over: () => void): RunStore {
    const runKey = this.#scripts.key("queue:run");
    return {
      isHeld: async () =>
        await this.#scripts.ask("proving that a run is held", async (redis) => {
          // Both: the lease, and that nobody began a run, whatever became of BullMQ's own records.
          const [held, runs] = await Promise.all([lease.extend(), redis.get(runKey)]);
          return held && runs === id;
        }),
      write: async (changes) => {
        const now = this.#clock.now();
        const args = [id, now, settlementArguments(changes, jobs)];
        return (await this.#scripts.run("settle", { doing: "recording how jobs ended", args })) === 1;
      },
      release: async () => {
        this.#run = undefined;
        over();
        await this.#giveBack(lease);
      },
    };
  }

  async #giveBack(lease: Lease): Promise<void> {
    // What a closing process may still be writing has until the end of the lease to arrive.
    if (this.#closing.signal.aborted || lease.lost.aborted) return lease.drop();
    try {
      await lease.letGo();
      // Rings of the time when the lease was taken woke nobody: BullMQ marks only what could be answered at once.
      await this.#ringing.again({ evenIfRinging: true });
    } catch (err) {
      this.#log?.debug({ err }, "giving back the lease of a run; it ends by itself");
    }
  }
}

/** Other ids would be other keys of the queue: `status:pending`, `by_time`. */
function isJobId(id: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/iu.test(id);
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}
