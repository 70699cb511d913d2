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
import { type Patience, patienceDefaults } from "./put-off.ts";
import { type LookingOut, lookingOutDefaults, untilThere } from "./until-there.ts";

export type WorkerOptions = Omit<DoRunOptions, "lastTotal" | "patience" | "signal"> & {
  readonly queue: Pick<JobQueue, "take">;
  /** How long the run under way may go on once the worker is to stop; then its jobs go back. Default 10 s. */
  readonly finishMs?: number;
  /** Whether qBittorrent answers and lets us in: one small question. */
  readonly isThere: (signal: AbortSignal) => Promise<boolean>;
  /** Defaults: a job waits up to a day for qBittorrent. */
  readonly patience?: Partial<Omit<Patience, "fromMs">> | undefined;
  /** Defaults: qBittorrent is looked for after 5 s, then every 30 s, and each hour with a run. */
  readonly lookingOut?: Partial<LookingOut> | undefined;
  readonly metrics: Metrics;
  /** Stops the worker. */
  readonly signal: AbortSignal;
};

export type WorkerStatus = {
  readonly state: "waiting" | "running" | "queue away" | "qBittorrent away" | "stopped";
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
  readonly #patience: Patience;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#measures = measureRuns(options.metrics);
    this.#lastTotal = new LastTotal(options.clock);
    this.#patience = { ...patienceDefaults, ...options.patience, fromMs: options.clock.now() };
  }

  async go(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const run = await this.#take();
      if (run === undefined) continue;
      this.#is({ state: "running" });
      const did = await this.#do(run);
      if (did?.settlements.some(({ outcome }) => outcome.kind === "put off"))
        await this.#waitForQbittorrent();
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

  async #do(run: Run): Promise<DidRun | undefined> {
    const { log, clock } = this.#options;
    const startedAt = clock.monotonic();
    using finishing = this.#finishing();
    try {
      await using held = run;
      const did = await doRun(held, {
        ...this.#options,
        lastTotal: this.#lastTotal.value,
        patience: this.#patience,
        signal: finishing.signal,
      });
      await this.#settle(held, did.settlements);
      const seconds = (clock.monotonic() - startedAt) / 1000;
      this.#measures.run(did, seconds);
      this.#note(run, did, seconds);
      return did;
    } catch (err) {
      // The error says why; lost jobs are run again by whoever comes next, those of a hung run have failed.
      const isHung = err instanceof RunLostError && err.reason === "hung";
      log[isHung ? "error" : "warn"](
        { err, run: run.id, jobs: run.jobs.length },
        "a run was not brought to its end",
      );
      return undefined;
    }
  }

  /** As long as qBittorrent is away no job is started: however many wait, one look decides for all of them. */
  async #waitForQbittorrent(): Promise<void> {
    this.#is({ state: "qBittorrent away" });
    const { isThere, looks } = await untilThere({
      ...lookingOutDefaults,
      ...this.#options.lookingOut,
      ...this.#options,
    });
    if (!isThere || looks === 0) return;
    this.#is({ qbittorrentFault: undefined });
    this.#options.log.info("qBittorrent is there again; the jobs that waited for it are run");
  }

  /** Aborts a while after the worker was told to stop. */
  #finishing(): Disposable & { signal: AbortSignal } {
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
