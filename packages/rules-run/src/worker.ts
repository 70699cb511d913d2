import {
  type JobQueue,
  QueueUnavailableError,
  type Run,
  RunLostError,
  type Settlement,
} from "@qbit-sidecars/jobs";
import type { Metrics } from "@qbit-sidecars/service";
import { type DidRun, doRun, type DoRunOptions } from "./do-run.ts";
import { LastTotal } from "./last-total.ts";
import { measureRuns, type RunMeasures } from "./measure-runs.ts";

export type WorkerOptions = Omit<DoRunOptions, "lastTotal" | "signal"> & {
  readonly queue: Pick<JobQueue, "take">;
  /** How long the run under way may go on once the worker is to stop; then its jobs go back. Default 10 s. */
  readonly finishMs?: number;
  readonly metrics: Metrics;
  /** Stops the worker. */
  readonly signal: AbortSignal;
};

export type WorkerStatus = {
  readonly state: "waiting" | "running" | "queue away" | "stopped";
  /** ISO 8601; null: none by this worker yet. */
  readonly lastJobCompleted: string | null;
  /** Why the last run could not read qBittorrent; undefined once one could. */
  readonly qbittorrentFault: string | undefined;
};

export type Worker = AsyncDisposable & { readonly name: string; status(): WorkerStatus };

const queueRetryMs = 1000;

/** Takes runs until the signal aborts, one at a time. Nothing that a job does ends it. */
export function startWorker(options: WorkerOptions): Worker {
  const work = new Work(options);
  const done = work.go();
  return { name: "worker", status: () => work.status, [Symbol.asyncDispose]: async () => await done };
}

class Work {
  status: WorkerStatus = { state: "waiting", lastJobCompleted: null, qbittorrentFault: undefined };
  readonly #options: WorkerOptions;
  readonly #measures: RunMeasures;
  readonly #lastTotal: LastTotal;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#measures = measureRuns(options.metrics);
    this.#lastTotal = new LastTotal(options.clock);
  }

  async go(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const run = await this.#take();
      if (run === undefined) continue;
      this.#is({ state: "running" });
      await this.#do(run);
      this.#is({ state: "waiting" });
    }
    this.#is({ state: "stopped" });
  }

  #is(change: Partial<WorkerStatus>): void {
    this.status = { ...this.status, ...change };
  }

  async #take(): Promise<Run | undefined> {
    const { queue, signal, log, clock } = this.#options;
    try {
      return await queue.take({ signal });
    } catch (err) {
      if (signal.aborted) return undefined;
      if (this.status.state !== "queue away") log.error({ err }, "taking a job; it is tried every second");
      this.#is({ state: "queue away" });
      await clock.sleep(queueRetryMs, signal).catch(() => {});
      return undefined;
    }
  }

  async #do(run: Run): Promise<void> {
    const { log, clock } = this.#options;
    const startedAt = clock.monotonic();
    using patience = this.#patience();
    try {
      await using held = run;
      const did = await doRun(held, {
        ...this.#options,
        lastTotal: this.#lastTotal.value,
        signal: patience.signal,
      });
      await this.#settle(held, did.settlements);
      const seconds = (clock.monotonic() - startedAt) / 1000;
      this.#measures.run(did, seconds);
      this.#note(run, did, seconds);
    } catch (err) {
      // The error says why; lost jobs are run again by whoever comes next, those of a hung run have failed.
      const isHung = err instanceof RunLostError && err.reason === "hung";
      log[isHung ? "error" : "warn"](
        { err, run: run.id, jobs: run.jobs.length },
        "a run was not brought to its end",
      );
    }
  }

  /** Aborts a while after the worker was told to stop. */
  #patience(): Disposable & { signal: AbortSignal } {
    const { signal, clock, finishMs = 10_000 } = this.#options;
    const [over, end] = [new AbortController(), new AbortController()];
    const wait = () =>
      void clock.sleep(finishMs, end.signal).then(
        () => over.abort(new Error("the worker stops")),
        () => {},
      );
    if (signal.aborted) wait();
    else signal.addEventListener("abort", wait, { once: true });
    return {
      signal: over.signal,
      [Symbol.dispose]: () => {
        signal.removeEventListener("abort", wait);
        end.abort();
      },
    };
  }

  /** Tries until it is recorded or the run is lost: what was done need not be done again. */
  async #settle(run: Run, settlements: readonly Settlement[]): Promise<void> {
    for (;;) {
      try {
        await run.settle(settlements);
        return;
      } catch (err) {
        if (!(err instanceof QueueUnavailableError)) throw err;
        this.#options.log.warn({ err, run: run.id }, "recording a run; it is tried every second");
        await this.#options.clock.sleep(queueRetryMs, run.signal);
      }
    }
  }

  #note(run: Run, { ran, qbittorrentFault, settlements }: DidRun, seconds: number): void {
    const now = new Date(this.#options.clock.now()).toISOString();
    if (settlements.some(({ outcome }) => outcome.kind === "completed")) this.#is({ lastJobCompleted: now });
    if (ran !== undefined && run.hashes === null) this.#lastTotal.note(ran.result.counters.total_torrents);
    if (ran !== undefined || qbittorrentFault !== undefined) this.#is({ qbittorrentFault });
    this.#options.log.info(
      { run: run.id, context: run.context, jobs: run.jobs.length, seconds, ...ran?.result.counters },
      "run done",
    );
  }
}
