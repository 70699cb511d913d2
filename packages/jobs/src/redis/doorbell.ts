import type { Logger } from "@qbit-sidecars/service";
import { Job, Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { unlessAborted } from "./unless-aborted.ts";

export type DoorbellOptions = {
  /** For short commands; fails fast. */
  readonly redis: Redis;
  /** For what blocks; retries for ever, as BullMQ wants it. */
  readonly blocking: () => Redis;
  readonly prefix: string;
  readonly leaseMs: number;
  readonly lookForLostEveryMs: number;
  readonly log: Logger | undefined;
};

/** Longest wait of one blocking call, in seconds; a stand-by that missed a ring looks again after that. */
const longestBlock = 5;

/** How long closing waits for what Redis has sent already. */
const passOnWithinMs = 1000;

/**
 * BullMQ as bell and lease. A ring says "there may be something to do" and nothing else; whoever answers it holds the
 * one lease there is (global concurrency 1) until it lets go or falls silent. A ring whose worker died rings again.
 */
export class Doorbell {
  readonly #options: DoorbellOptions;
  readonly #queue: Queue;
  #worker: Worker | undefined;
  /** A call for the next ring that nobody waits for any more is taken up by the next who does. */
  #next: Promise<Job | undefined> | undefined;
  readonly #token = randomUUID();

  constructor(options: DoorbellOptions) {
    this.#options = options;
    const { redis, prefix, log } = options;
    this.#queue = new Queue("doorbell", {
      connection: redis,
      prefix,
      skipWaitingForReady: true,
      // Done by check-server.ts, which does not print.
      skipVersionCheck: true,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
    this.#queue.on("error", (err) => tellError(log, err));
  }

  /** One worker at a time, in all processes. Kept in Redis, which may have lost it. */
  async limit(): Promise<void> {
    await this.#queue.setGlobalConcurrency(1);
  }

  async ring(): Promise<void> {
    await this.#queue.add("ring", {});
  }

  /** Rings at that time; once, however often it is asked for. */
  async ringAt(dueMs: number, nowMs: number): Promise<void> {
    await this.#queue.add("ring", {}, { delay: Math.max(1, dueMs - nowMs), jobId: `due-${dueMs}` });
  }

  /** Whether a ring stands or is being answered. */
  async isRinging(): Promise<boolean> {
    const { wait, active, prioritized } = await this.#queue.getJobCounts("wait", "active", "prioritized");
    return (wait ?? 0) + (active ?? 0) + (prioritized ?? 0) > 0;
  }

  /** Waits for a ring, and for its turn. */
  async answer(signal: AbortSignal): Promise<Lease> {
    const worker = await this.#openWorker();
    while (true) {
      signal.throwIfAborted();
      this.#next ??= worker.getNextJob(this.#token);
      const job = await unlessAborted(this.#next, signal).catch((error: unknown) => {
        if (!signal.aborted) this.#next = undefined;
        throw error;
      });
      this.#next = undefined;
      if (job === undefined) continue;
      const lease = new Lease(job, { ...this.#options, token: this.#token });
      // It may have been answered long ago, for somebody who had stopped waiting.
      if (await lease.extend()) return lease;
      lease.drop();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const next = this.#next?.catch(() => undefined);
    await this.#worker?.close(true);
    await this.#passOn(next);
    await this.#queue.close();
  }

  /** A ring that came for somebody who had stopped waiting: nobody else would hear one before its lease is over. */
  async #passOn(next: Promise<Job | undefined> | undefined): Promise<void> {
    const patience = new AbortController();
    const ring = await Promise.race([
      next,
      setTimeout(passOnWithinMs, undefined, { signal: patience.signal }),
    ]).catch(() => undefined);
    patience.abort();
    if (ring?.id === undefined) return;
    try {
      // Not by way of `ring`: the connection it came by is closed.
      const held = await Job.fromId(this.#queue, ring.id);
      await held?.moveToCompleted("", this.#token, false);
      await this.ring();
    } catch (err) {
      this.#options.log?.debug({ err }, "passing on a ring; its lease ends by itself");
    }
  }

  async #openWorker(): Promise<Worker> {
    if (this.#worker !== undefined) return this.#worker;
    const { blocking, prefix, leaseMs, lookForLostEveryMs, log } = this.#options;
    const worker = new Worker("doorbell", null, {
      connection: blocking(),
      prefix,
      autorun: false,
      skipVersionCheck: true,
      lockDuration: leaseMs,
      stalledInterval: lookForLostEveryMs,
      // However often its workers died: what must not be tried for ever is decided by the record, not by the bell.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      drainDelay: longestBlock,
    });
    worker.on("error", (err) => tellError(log, err));
    this.#worker = worker;
    await worker.startStalledCheckTimer();
    return worker;
  }
}

type LeaseOptions = {
  readonly leaseMs: number;
  readonly token: string;
  readonly log: Logger | undefined;
};

/** The right to run, as long as it is extended. */
export class Lease {
  readonly #job: Job;
  readonly #options: LeaseOptions;
  readonly #lost = new AbortController();
  readonly #renewal: NodeJS.Timeout;
  #provenAt = performance.now();

  constructor(job: Job, options: LeaseOptions) {
    this.#job = job;
    this.#options = options;
    this.#renewal = setInterval(() => void this.#renew(), options.leaseMs / 3);
  }

  /** Aborts when the lease is known to be over. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether it is held, from now on for one more lease. Rejects when Redis does not answer. */
  async extend(): Promise<boolean> {
    const askedAt = performance.now();
    const held = (await this.#job.extendLock(this.#options.token, this.#options.leaseMs)) === 1;
    if (held) this.#provenAt = askedAt;
    else this.#lose();
    return held;
  }

  /** Gives it back; whoever waits is next. */
  async letGo(): Promise<void> {
    this.drop();
    await this.#job.moveToCompleted("", this.#options.token, false);
  }

  /** Stops extending it: it is over by itself. */
  drop(): void {
    clearInterval(this.#renewal);
  }

  async #renew(): Promise<void> {
    try {
      await this.extend();
    } catch (err) {
      this.#options.log?.debug({ err }, "extending the lease of a run");
      if (performance.now() - this.#provenAt >= this.#options.leaseMs) this.#lose();
    }
  }

  #lose(): void {
    this.drop();
    this.#lost.abort();
  }
}

/** A lost connection is made again, and whoever asks meanwhile is told; what Redis refuses is a fault. */
function tellError(log: Logger | undefined, err: Error): void {
  if (err.name === "ReplyError") log?.warn({ err }, "Redis refused what the job queue's bell asked");
  else log?.debug({ err }, "the job queue's bell");
}
