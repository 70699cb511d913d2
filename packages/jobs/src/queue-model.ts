import type { FakeClock } from "@qbit-sidecars/testing";
import { waitFor } from "@qbit-sidecars/testing";
import fc from "fast-check";
import assert from "node:assert/strict";
import type { Job, JobQueue, Outcome, Run } from "./contract.ts";
import type { QueueOptions } from "./queue-options.ts";

/** A store that outlives the queues opened on it. */
export type StoreUnderTest = AsyncDisposable & {
  open(options?: QueueOptions): Promise<JobQueue>;
  /** The process of this queue dies: what it holds is neither settled nor returned, and its lease is over. */
  crash(queue: JobQueue): Promise<void>;
  /** Time passes, for the queue and for its store. */
  advance(clock: FakeClock, ms: number): Promise<void>;
  /** As if so many runs of the job had been lost. */
  setInterruptions(id: string, count: number): Promise<void>;
};

export const hashOf = (n: number): string => n.toString(16).padStart(40, "0");

const outcomes: Readonly<Record<Outcome["kind"], Outcome>> = {
  completed: { kind: "completed", result: { rules_matched: 1 } },
  failed: { kind: "failed", error: "no" },
  "not ready": { kind: "not ready", reason: "later", result: {} },
  "put off": { kind: "put off", reason: "qBittorrent is away", delayMs: 60_000 },
  returned: { kind: "returned" },
};

const ask = fc.record({
  kind: fc.constant("ask" as const),
  context: fc.constantFrom("a", "b"),
  hash: fc.option(fc.integer({ min: 0, max: 4 }), { nil: null }),
  dryRun: fc.boolean(),
});
const settle = fc.record({
  kind: fc.constant("settle" as const),
  outcome: fc.constantFrom(...(["completed", "failed", "not ready", "put off", "returned"] as const)),
});
const cancel = fc.record({ kind: fc.constant("cancel" as const), nth: fc.nat(20) });
const passTime = fc.record({
  kind: fc.constant("pass time" as const),
  ms: fc.constantFrom(5_000, 30_000, 120_000),
});

export const stepOf = fc.oneof(
  { weight: 5, arbitrary: ask },
  { weight: 4, arbitrary: fc.constant({ kind: "take" as const }) },
  { weight: 6, arbitrary: settle },
  { weight: 2, arbitrary: cancel },
  { weight: 2, arbitrary: passTime },
  { weight: 1, arbitrary: fc.constant({ kind: "crash" as const }) },
);
type Step = typeof stepOf extends fc.Arbitrary<infer S> ? S : never;

type Known = {
  readonly id: string;
  readonly wish: string;
  readonly hash: string | null;
  status: Job["status"];
  dueMs: number;
  notReady: number;
  isPutOff: boolean;
  interrupted: number;
};

const fresh = { status: "pending", dueMs: 0, notReady: 0, isPutOff: false, interrupted: 0 } as const;

const mostJobs = 3;

/** What must be true of the jobs after each step, kept as simply as possible. */
export class Model implements AsyncDisposable {
  readonly #store: StoreUnderTest;
  readonly #clock: FakeClock;
  readonly #jobs: Known[] = [];
  #queue: JobQueue;
  #run: Run | undefined;
  #lastFence = 0;

  constructor({ store, clock, queue }: { store: StoreUnderTest; clock: FakeClock; queue: JobQueue }) {
    this.#store = store;
    this.#clock = clock;
    this.#queue = queue;
  }

  async apply(step: Step): Promise<void> {
    switch (step.kind) {
      case "ask":
        return await this.#ask(step);
      case "take":
        return await this.#take();
      case "settle":
        return await this.#settle(step.outcome);
      case "cancel":
        return await this.#cancel(step.nth);
      case "pass time":
        return await this.#store.advance(this.#clock, step.ms);
      case "crash":
        return await this.#crash();
    }
  }

  async check(): Promise<void> {
    const stored = await this.#all();
    assert.deepEqual(statuses(stored), statuses(this.#jobs));
    const { total, ...counts } = await this.#queue.counts();
    assert.equal(total, this.#jobs.length);
    for (const [status, count] of Object.entries(counts))
      assert.equal(count, this.#with(status).length, status);
    assert.deepEqual(await this.#queue.repair(), { found: [] });
    for (const context of ["a", "b"]) {
      const page = await this.#queue.list({ context });
      assert.equal(page.total, stored.filter((job) => job.context === context).length);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
  }

  #with(status: string): Known[] {
    return this.#jobs.filter((job) => job.status === status);
  }

  async #all(): Promise<Job[]> {
    const all: Job[] = [];
    while (true) {
      const { jobs, total } = await this.#queue.list({ limit: 7, offset: all.length });
      all.push(...jobs);
      if (all.length >= total) return all;
    }
  }

  async #ask({ context, hash: n, dryRun }: Extract<Step, { kind: "ask" }>): Promise<void> {
    const hash = n === null ? null : hashOf(n);
    const wish = JSON.stringify([context, hash, dryRun]);
    const standing = this.#with("pending").filter((job) => job.wish === wish);
    const { job, coalesced } = await this.#queue.enqueue({ context, hash: hash ?? undefined, dryRun });
    assert.equal(coalesced, standing.length > 0);
    const stands = standing.find(({ id }) => id === job.id);
    // A job that came back can stand beside an equal one that was asked for meanwhile.
    assert.equal(stands !== undefined, coalesced);
    if (stands !== undefined) stands.dueMs = 0;
    else this.#jobs.push({ ...fresh, id: job.id, wish, hash });
  }

  async #take(): Promise<void> {
    if (this.#run !== undefined) return;
    const due = this.#startable();
    if (due.length === 0) return;
    const run = await this.#queue.take({ signal: AbortSignal.timeout(20_000) });
    const taken = run.jobs.map(({ id }) => this.#must(id));
    assert.ok(taken.length <= mostJobs);
    assert.ok(run.fence > this.#lastFence);
    const [context, , dryRun] = JSON.parse(taken[0]?.wish ?? "[]");
    for (const job of taken) {
      assert.ok(due.includes(job), `${job.id} was not due`);
      assert.deepEqual(JSON.parse(job.wish), [context, job.hash, dryRun]);
      assert.equal(job.hash === null, run.hashes === null);
      if (taken.length > 1) assert.ok(job.interrupted < 2, "a job that was lost twice runs alone");
      job.status = "processing";
    }
    this.#run = run;
    this.#lastFence = run.fence;
  }

  async #settle(kind: Outcome["kind"]): Promise<void> {
    const [job] = this.#with("processing");
    if (this.#run === undefined || job === undefined) return;
    await this.#run.settle([{ id: job.id, outcome: outcomes[kind] }]);
    this.#settled(job, kind);
    if (this.#with("processing").length === 0) this.#run = undefined;
  }

  #settled(job: Known, kind: Outcome["kind"]): void {
    const waitMs = [5_000, 30_000, 120_000][job.notReady];
    job.isPutOff = kind === "put off";
    if (kind === "completed" || kind === "failed") job.status = kind;
    else if (kind === "returned") Object.assign(job, { status: "pending", dueMs: 0 });
    else if (kind === "put off") Object.assign(job, { status: "pending", dueMs: this.#clock.now() + 60_000 });
    else if (waitMs === undefined) job.status = "completed";
    else {
      const dueMs = this.#clock.now() + waitMs;
      Object.assign(job, { status: "pending", dueMs, notReady: job.notReady + 1 });
    }
  }

  async #cancel(nth: number): Promise<void> {
    const job = this.#jobs[nth];
    if (job === undefined) return;
    const { kind } = await this.#queue.cancel(job.id);
    assert.equal(kind, job.status === "pending" ? "cancelled" : "not pending");
    if (job.status === "pending") job.status = "cancelled";
  }

  async #crash(): Promise<void> {
    await this.#store.crash(this.#queue);
    // Ids sort by the millisecond, and a process that is started anew takes longer than one.
    await this.#store.advance(this.#clock, 1);
    this.#queue = await this.#store.open({ clock: this.#clock, mostJobs });
    this.#run = undefined;
    const lost = this.#with("processing");
    for (const job of lost) {
      job.interrupted += 1;
      job.dueMs = 0;
      job.status = job.interrupted >= 10 ? "failed" : "pending";
    }
    // Whoever takes next takes back what was lost; until then nobody can know that it is.
    if (lost.length > 0) await waitFor(async () => (await this.#takeAnything()) > 0, { what: "a run" });
  }

  async #takeAnything(): Promise<number> {
    if (this.#startable().length === 0) {
      const taking = this.#queue.take({ signal: AbortSignal.timeout(300) });
      await taking.then(
        () => assert.fail("a job overtook an older one that waits"),
        () => {},
      );
      return (await this.#queue.counts()).processing === 0 ? 1 : 0;
    }
    await this.#take();
    return this.#with("processing").length;
  }

  /** Pending jobs that are due, and not behind an older one about the same torrent that was put off. */
  #startable(): Known[] {
    const pending = this.#with("pending");
    const isDue = ({ dueMs }: Known) => dueMs <= this.#clock.now();
    const isHolding = (job: Known) => job.hash !== null && (job.notReady > 0 || job.isPutOff) && !isDue(job);
    return pending.filter((job, at) => {
      const isBehind = pending.slice(0, at).some((older) => older.hash === job.hash && isHolding(older));
      return isDue(job) && !isBehind;
    });
  }

  #must(id: string): Known {
    const job = this.#jobs.find((known) => known.id === id);
    assert.ok(job, `a job runs that nobody asked for: ${id}`);
    return job;
  }
}

function statuses(jobs: readonly { id: string; status: string }[]): Record<string, string> {
  return Object.fromEntries(jobs.map(({ id, status }) => [id, status]));
}
