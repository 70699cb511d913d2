import type { Clock, Logger } from "@qbit-sidecars/service";
import type { Job, Outcome, Run, Settlement } from "./contract.ts";
import { RunLostError } from "./errors.ts";
import { type RecordChange, settleJob } from "./settle-job.ts";

/** A job as its run got it. */
export type TakenJob = { readonly job: Job; readonly notReady: number };

export type TakenRun = {
  readonly id: string;
  readonly fence: number;
  readonly jobs: readonly TakenJob[];
};

/** What a run needs of the store it came from. */
export interface RunStore {
  /** Whether this run, and no later one, may write; extends its lease. Rejects when nobody can tell. */
  isHeld(): Promise<boolean>;
  /** Writes all changes or none; false: the run is no longer held, and nothing was written. */
  write(changes: readonly RecordChange[]): Promise<boolean>;
  /** The run is over: the next one may begin. Never rejects. */
  release(): Promise<void>;
}

export type HeldRunOptions = {
  readonly store: RunStore;
  readonly clock: Clock;
  readonly log: Logger | undefined;
  readonly hungAfterMs: number;
  readonly delaysMs: readonly number[];
};

/** A run in the hands of a worker: fence, settling, and the watch for one that hangs. */
export class HeldRun implements Run {
  readonly id: string;
  readonly fence: number;
  readonly context: string | null;
  readonly dryRun: boolean;
  readonly trace: boolean;
  readonly jobs: readonly Job[];
  readonly hashes: readonly string[] | null;
  readonly signal: AbortSignal;

  readonly #options: HeldRunOptions;
  readonly #open: Map<string, TakenJob>;
  readonly #loss = new AbortController();
  readonly #over = new AbortController();
  #lost: RunLostError | undefined;
  #progressAt: number;

  constructor({ id, fence, jobs }: TakenRun, options: HeldRunOptions) {
    const [first] = jobs;
    if (first === undefined) throw new RangeError("a run has at least one job");
    this.id = id;
    this.fence = fence;
    ({ context: this.context, dryRun: this.dryRun, trace: this.trace } = first.job);
    this.jobs = jobs.map(({ job }) => job);
    const hashes = this.jobs.map(({ hash }) => hash).filter((hash) => hash !== null);
    this.hashes = hashes.length === 0 ? null : [...new Set(hashes)];
    this.signal = this.#loss.signal;
    this.#options = options;
    this.#open = new Map(jobs.map((taken) => [taken.job.id, taken]));
    this.#progressAt = options.clock.monotonic();
    void this.#watch();
  }

  async assertHeld(): Promise<void> {
    this.#throwIfOver();
    if (!(await this.#options.store.isHeld())) await this.lose("lease");
    this.#throwIfOver();
    this.#progressAt = this.#options.clock.monotonic();
  }

  async settle(settlements: readonly Settlement[]): Promise<void> {
    this.#throwIfOver();
    const own = settlements.filter(({ id }) => this.#open.has(id));
    if (!(await this.#options.store.write(this.#changes(own)))) await this.lose("lease");
    this.#throwIfOver();
    this.#progressAt = this.#options.clock.monotonic();
    for (const { id } of own) this.#open.delete(id);
    if (this.#open.size === 0) await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over.signal.aborted) return;
    try {
      await this.#settleRest({ kind: "returned" });
    } catch (err) {
      this.#options.log?.warn({ err }, "a run was left unfinished; its jobs are taken back later");
    }
    await this.#end();
  }

  /** From here on nothing of this run is believed. */
  async lose(reason: RunLostError["reason"]): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#lost = new RunLostError(reason, lossMessages[reason]);
    await this.#end();
    this.#loss.abort(this.#lost);
  }

  async #end(): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    await this.#options.store.release();
  }

  #throwIfOver(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#over.signal.aborted) throw new RunLostError("closed", "this run is over");
  }

  #changes(settlements: readonly Settlement[]): RecordChange[] {
    const settling = { nowMs: this.#options.clock.now(), delaysMs: this.#options.delaysMs };
    return settlements.flatMap(({ id, outcome }) => {
      const taken = this.#open.get(id);
      if (taken === undefined) return [];
      return [settleJob({ ...taken.job, notReady: taken.notReady }, outcome, settling)];
    });
  }

  async #settleRest(outcome: Outcome): Promise<void> {
    const rest = [...this.#open.keys()].map((id) => ({ id, outcome }));
    if (rest.length > 0) await this.#options.store.write(this.#changes(rest));
  }

  async #watch(): Promise<void> {
    const { clock, hungAfterMs } = this.#options;
    const over = this.#over.signal;
    while (!over.aborted) {
      const restMs = this.#progressAt + hungAfterMs - clock.monotonic();
      if (restMs <= 0) return await this.#giveUp();
      await clock.sleep(restMs, over).catch(() => {});
    }
  }

  async #giveUp(): Promise<void> {
    const { log, hungAfterMs } = this.#options;
    const error = `given up: the run made no progress for ${Math.round(hungAfterMs / 1000)} s`;
    log?.error({ run: this.id, jobs: this.#open.size, context: this.context }, error);
    try {
      await this.#settleRest({ kind: "failed", error });
    } catch (err) {
      log?.warn({ err }, "the jobs of a hung run could not be marked as failed and will run again");
    }
    await this.lose("hung");
  }
}

const lossMessages: Record<RunLostError["reason"], string> = {
  lease: "the lease of this run is over: another worker may have taken its jobs",
  hung: "this run made no progress for too long and was given up",
  closed: "the queue was closed while this run was held",
};
