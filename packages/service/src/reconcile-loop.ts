import type { Clock } from "./clock.ts";
import { messageWithCauses } from "./describe-error.ts";
import type { Health } from "./health.ts";
import type { Logger } from "./log.ts";
import { LoopLog } from "./loop-log.ts";
import type { Metrics } from "./metrics.ts";

/** What a step found out. A step that throws has failed and is tried again after a backoff. */
export type StepResult =
  | { converged: true }
  /** An expected state that is not the desired one ("the port file is empty"). Looked at again after `retryAfterMs`, default `everyMs`. */
  | { converged: false; reason: string; retryAfterMs?: number };

export type StepContext = {
  /** Aborts when the service stops or a newer desired state supersedes this step. Pass it to everything that waits. */
  signal: AbortSignal;
  /** Why the step runs: "start", "timer", "retry" or the reason given to wake(). */
  reason: string;
};

export type LoopOptions = {
  /** What the loop does, as in "sync-port"; in log lines, metrics and health checks. */
  name: string;
  /** How long to wait after a step before looking again although nobody asked. */
  everyMs: number;
  /** Wait after the n-th failure in a row: a random part of min(maxMs, minMs × 2ⁿ⁻¹). Default 1 s up to 60 s. */
  backoff?: { minMs: number; maxMs: number };
  /** A step that runs longer makes /livez fail. Above every timeout within the step. Default 2 minutes. */
  hangAfterMs?: number;
  clock: Clock;
  random: () => number;
  signal: AbortSignal;
  log: Logger;
  metrics?: Metrics;
  health?: Health;
  /** Hears each error of a step, unless the step was told to stop; for counting. */
  onFailure?: (error: unknown) => void;
  /** Compares desired with actual and acts. Never runs twice at the same time. */
  step: (context: StepContext) => Promise<StepResult>;
};

export type LoopStatus = {
  converged: boolean;
  /** Why not converged; "converged" otherwise. */
  reason: string;
  /** Epoch milliseconds of the last step that ended converged. */
  lastSuccessAt?: number;
  /** Epoch milliseconds of the end of the last step. */
  lastStepAt?: number;
  /** Failed steps in a row. */
  failures: number;
  /** Whether a step is running now. */
  running: boolean;
};

export type Loop = AsyncDisposable & {
  readonly name: string;
  /**
   * Something changed: run a step now rather than at the next timer. Ends a wait of any kind and forgets the
   * backoff. While a step runs, any number of wakes ask for exactly one further step. With `supersede`, the
   * running step's signal aborts as well, since it works for a desired state that is no longer desired.
   */
  wake(reason: string, options?: { supersede?: boolean }): void;
  status(): LoopStatus;
  /** Whether the loop is turning: false when a step has been running for longer than `hangAfterMs`. */
  alive(): { ok: boolean; detail: string };
  /** Resolves when no step is running and none is asked for. */
  settled(): Promise<LoopStatus>;
};

/**
 * Starts a reconcile loop: level, not edge. The first step runs at once; after that an event (`wake`), a timer
 * (`everyMs`) or a failure (backoff with full jitter, without end) runs the next one. Between steps there is
 * one pending wait and nothing else. Registers itself in `health` (/livez: is it turning; /readyz: has it
 * converged) and `metrics` when given. Disposing it aborts the running step and waits for it.
 */
export function startLoop(options: LoopOptions): Loop {
  const loop = new ReconcileLoop(options);
  options.health?.alive(options.name, () => loop.alive());
  options.health?.ready(options.name, () => {
    const { converged, reason } = loop.status();
    return { ok: converged, detail: reason };
  });
  return loop;
}

class ReconcileLoop implements Loop {
  readonly name: string;
  readonly #options: LoopOptions;
  readonly #log: LoopLog;
  readonly #finished: Promise<void>;

  /** Reason of a step that was asked for and has not begun. The newest reason wins. */
  #wanted: string | undefined;
  #stopping = false;
  #step: { abort: AbortController; startedAt: number } | undefined;
  /** Present exactly while the loop waits; aborting it ends the wait. */
  #wait: AbortController | undefined;
  /** Failures since the last success or wake: the exponent of the backoff. */
  #attempt = 0;
  #failures = 0;
  #outcome: Pick<LoopStatus, "converged" | "reason"> = { converged: false, reason: "not run yet" };
  #lastSuccessAt: number | undefined;
  #lastStepAt: number | undefined;
  #waitingForRest: (() => void)[] = [];

  constructor(options: LoopOptions) {
    this.name = options.name;
    this.#options = options;
    this.#log = new LoopLog(options);
    this.#finished = this.#run();
  }

  wake(reason: string, { supersede = false }: { supersede?: boolean } = {}): void {
    this.#wanted = reason;
    this.#wait?.abort();
    if (supersede) this.#step?.abort.abort(new DOMException(`superseded: ${reason}`, "AbortError"));
  }

  status(): LoopStatus {
    return {
      ...this.#outcome,
      ...(this.#lastSuccessAt === undefined ? {} : { lastSuccessAt: this.#lastSuccessAt }),
      ...(this.#lastStepAt === undefined ? {} : { lastStepAt: this.#lastStepAt }),
      failures: this.#failures,
      running: this.#step !== undefined,
    };
  }

  alive(): { ok: boolean; detail: string } {
    if (this.#step === undefined) return { ok: true, detail: "waiting" };
    const ranMs = this.#options.clock.monotonic() - this.#step.startedAt;
    const ok = ranMs <= (this.#options.hangAfterMs ?? 120_000);
    return { ok, detail: `a step has been running for ${Math.round(ranMs / 1000)} s` };
  }

  async settled(): Promise<LoopStatus> {
    const resting = (this.#wait !== undefined && this.#wanted === undefined) || this.#stopping;
    if (!resting) await new Promise<void>((resolve) => this.#waitingForRest.push(resolve));
    return this.status();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { signal } = this.#options;
    const stop = () => this.#stop();
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    // The first step must find what startLoop returns already assigned.
    await Promise.resolve();
    let reason = "start";
    while (!this.#stopping) {
      const waitMs = await this.#runStep(reason);
      if (!this.#stopping) reason = await this.#nextReason(waitMs);
    }
    signal.removeEventListener("abort", stop);
    this.#rest();
  }

  #stop(): void {
    this.#stopping = true;
    this.#wait?.abort();
    this.#step?.abort.abort(this.#options.signal.reason);
  }

  /** Runs one step to its end; returns how long to wait before the next one. */
  async #runStep(reason: string): Promise<number> {
    const { clock, step } = this.#options;
    const abort = new AbortController();
    this.#step = { abort, startedAt: clock.monotonic() };
    // Cleared before the step and not after: a wake during the step asks for another one.
    this.#wanted = undefined;
    try {
      return this.#ended(await step({ signal: abort.signal, reason }), abort.signal);
    } catch (error) {
      return this.#failed(error, abort.signal);
    } finally {
      this.#step = undefined;
      this.#lastStepAt = clock.now();
    }
  }

  #ended(result: StepResult, signal: AbortSignal): number {
    // It finished although it was told to stop: what it reached is not what is desired now.
    if (signal.aborted) return this.#superseded();
    this.#attempt = 0;
    this.#failures = 0;
    if (result.converged) {
      this.#lastSuccessAt = this.#options.clock.now();
      this.#outcome = { converged: true, reason: "converged" };
      this.#log.converged();
      return this.#options.everyMs;
    }
    this.#outcome = { converged: false, reason: result.reason };
    this.#log.notConverged(result.reason);
    return result.retryAfterMs ?? this.#options.everyMs;
  }

  #failed(error: unknown, signal: AbortSignal): number {
    if (signal.aborted) return this.#superseded();
    this.#options.onFailure?.(error);
    this.#attempt += 1;
    this.#failures += 1;
    this.#outcome = { converged: false, reason: messageWithCauses(error) };
    const waitMs = Math.max(this.#backoffMs(), retryAfterMs(error));
    this.#log.failed(error, { failures: this.#failures, waitMs });
    return waitMs;
  }

  #superseded(): number {
    this.#log.superseded();
    return 0;
  }

  #backoffMs(): number {
    const { backoff: { minMs, maxMs } = { minMs: 1000, maxMs: 60_000 }, random } = this.#options;
    // Full jitter: services that lost the same server do not come back to it in step.
    return random() * Math.min(maxMs, minMs * 2 ** Math.min(this.#attempt - 1, 30));
  }

  async #nextReason(waitMs: number): Promise<string> {
    if (this.#wanted === undefined) await this.#waitFor(waitMs);
    if (this.#wanted === undefined) return this.#attempt > 0 ? "retry" : "timer";
    this.#attempt = 0;
    return this.#wanted;
  }

  async #waitFor(ms: number): Promise<void> {
    this.#wait = new AbortController();
    this.#rest();
    const { signal } = this.#wait;
    try {
      await this.#options.clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#wait = undefined;
    }
  }

  #rest(): void {
    const waiting = this.#waitingForRest;
    this.#waitingForRest = [];
    for (const resolve of waiting) resolve();
  }
}

/** Clients put `retryAfterMs` on an error when trying sooner is useless or harmful (a ban, a 429). */
function retryAfterMs(error: unknown): number {
  const wish = error instanceof Error && "retryAfterMs" in error ? error.retryAfterMs : undefined;
  return typeof wish === "number" && wish > 0 ? wish : 0;
}
