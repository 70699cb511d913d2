import type { Clock } from "./clock.ts";
import { className, messageWithCauses } from "./describe-error.ts";
import type { Logger } from "./log.ts";
import type { Metrics } from "./metrics.ts";

type LoopLogOptions = { name: string; clock: Clock; log: Logger; metrics?: Metrics };

/** Enough for every way one thing can break; beyond it the messages differ each time and would flood the log. */
const MOST_DISTINCT_ERRORS = 20;

/**
 * Tells of a loop's steps in log and metrics. An hour without the other side is a handful of lines: each
 * distinct error once, its repetitions at debug level, and one line when it is over.
 */
export class LoopLog {
  readonly #options: LoopLogOptions;
  readonly #count: (outcome: "converged" | "not_converged" | "failed" | "superseded") => void;
  readonly #setConverged: (converged: boolean) => void;
  #seen = new Set<string>();
  #failingSince: number | undefined;
  #failures = 0;
  #notConverged: string | undefined;

  constructor(options: LoopLogOptions) {
    this.#options = options;
    const { name: loop, clock, metrics } = options;
    const steps = metrics?.counter({
      name: "reconcile_steps_total",
      help: "Steps of the reconcile loop by outcome.",
      labelNames: ["loop", "outcome"],
    });
    const converged = metrics?.gauge({
      name: "reconcile_converged",
      help: "1 when the last step found or made the actual state equal to the desired one.",
      labelNames: ["loop"],
    });
    const lastSuccess = metrics?.gauge({
      name: "reconcile_last_success_timestamp_seconds",
      help: "When a step last ended converged, since the Unix epoch in seconds; 0 before the first time.",
      labelNames: ["loop"],
    });
    converged?.set({ loop }, 0);
    lastSuccess?.set({ loop }, 0);
    this.#count = (outcome) => steps?.inc({ loop, outcome });
    this.#setConverged = (value) => {
      converged?.set({ loop }, value ? 1 : 0);
      if (value) lastSuccess?.set({ loop }, clock.now() / 1000);
    };
  }

  converged(): void {
    this.#count("converged");
    this.#setConverged(true);
    const wasWaiting = this.#notConverged !== undefined;
    this.#notConverged = undefined;
    if (!this.#recovered() && wasWaiting) this.#options.log.info(`${this.#options.name} converged`);
  }

  notConverged(reason: string): void {
    this.#count("not_converged");
    this.#setConverged(false);
    this.#recovered();
    if (reason === this.#notConverged) return;
    this.#notConverged = reason;
    this.#options.log.warn(`${this.#options.name} not converged: ${reason}`);
  }

  failed(error: unknown, { failures, waitMs }: { failures: number; waitMs: number }): void {
    this.#count("failed");
    this.#setConverged(false);
    this.#failingSince ??= this.#options.clock.monotonic();
    this.#failures = failures;
    const { name, log } = this.#options;
    const line = { err: error, failures, retryInMs: Math.round(waitMs) };
    if (this.#isNew(error)) log.warn(line, `${name} failed, trying again until it works`);
    else log.debug(line, `${name} failed again`);
  }

  superseded(): void {
    this.#count("superseded");
    this.#options.log.debug(`${this.#options.name} gave up a step for a newer one`);
  }

  #isNew(error: unknown): boolean {
    const kind = error instanceof Error ? className(error) : typeof error;
    // A countdown ("the next try is in 3540 s") is not another error each time.
    const fingerprint = `${kind}: ${messageWithCauses(error).replaceAll(/\d+/g, "N")}`;
    if (this.#seen.has(fingerprint) || this.#seen.size >= MOST_DISTINCT_ERRORS) return false;
    this.#seen.add(fingerprint);
    return true;
  }

  #recovered(): boolean {
    if (this.#failingSince === undefined) return false;
    const { name, clock, log } = this.#options;
    const seconds = Math.round((clock.monotonic() - this.#failingSince) / 1000);
    log.info(
      `${name} recovered after ${this.#failures} ${this.#failures === 1 ? "failure" : "failures"} in ${seconds} s`,
    );
    this.#failingSince = undefined;
    this.#failures = 0;
    this.#seen = new Set();
    return true;
  }
}
