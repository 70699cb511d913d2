import type { Clock } from "./clock.ts";
import type { Logger } from "./log.ts";
import type { ProcessLike } from "./process-like.ts";

/**
 * SIGTERM is how init systems, Docker and Kubernetes ask a program to end, SIGINT is Ctrl-C. Not the others:
 * SIGHUP and SIGQUIT keep their default (end at once), which every app must survive anyway since it survives
 * kill -9; SIGPIPE is ignored by Node; SIGUSR1 opens Node's debugger; SIGKILL and SIGSTOP cannot be heard.
 */
const SIGNALS = { SIGTERM: 15, SIGINT: 2 } as const;

type Signal = keyof typeof SIGNALS;

/**
 * `npm start` and its like pass Ctrl-C on to a child that the terminal has told already: the same signal
 * twice within moments is one request.
 */
const SAME_REQUEST_MS = 250;

/** Everything that can ask a running service to stop, as one AbortSignal. */
export class StopRequests {
  readonly #controller = new AbortController();
  readonly #process: ProcessLike;
  readonly #clock: Clock;
  #first: { name: Signal; at: number } | undefined;
  #crashed = false;
  readonly #before: { what: string; work: () => Promise<void> }[] = [];
  /** Set as soon as there is one; until then stderr is told. */
  log: Logger | undefined;

  /** Listens from now on: as process 1 of a container a signal without a listener would be lost. */
  constructor(process: ProcessLike, clock: Clock) {
    this.#process = process;
    this.#clock = clock;
    process.on("SIGTERM", () => this.#onSignal("SIGTERM"));
    process.on("SIGINT", () => this.#onSignal("SIGINT"));
    // Without a listener for unhandledRejection Node reports rejections here too, with that origin.
    process.on("uncaughtException", (error, origin) => this.#onUncaught(error, origin));
  }

  /** Aborts at the first request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether something was thrown that nobody caught. */
  get crashed(): boolean {
    return this.#crashed;
  }

  /**
   * Work that a signal to stop waits for, such as handing over to somebody else: it is done while everything still
   * runs. It has to know by itself when to end, for no grace period limits it; a second signal does not wait for it.
   */
  before(what: string, work: () => Promise<void>): void {
    this.#before.push({ what, work });
  }

  /** Asks for the stop. Only the first reason counts. */
  stop(reason: string): void {
    if (!this.signal.aborted) this.#controller.abort(new DOMException(`stopping: ${reason}`, "AbortError"));
  }

  #onSignal(name: Signal): void {
    const at = this.#clock.monotonic();
    if (this.#first === undefined) {
      this.#first = { name, at };
      void this.#stopAfterWork(name);
    } else if (name !== this.#first.name || at - this.#first.at > SAME_REQUEST_MS) {
      this.log?.warn(`${name}: exiting at once`);
      this.#process.exit(128 + SIGNALS[name]);
    }
  }

  async #stopAfterWork(name: Signal): Promise<void> {
    for (const { what, work } of this.#before) {
      this.log?.info(`${name}: before stopping: ${what}; a second signal exits at once`);
      try {
        await work();
      } catch (error) {
        this.log?.error({ err: error }, `before stopping: ${what}: failed`);
      }
    }
    this.log?.info(`${name}: stopping; a second signal exits at once`);
    this.stop(name);
  }

  #onUncaught(error: unknown, origin: string): void {
    this.#crashed = true;
    // For a crash before the app runs, when nobody is there yet to exit with a code.
    this.#process.exitCode = 1;
    this.#report(error, origin);
    this.stop("an uncaught error");
  }

  #report(error: unknown, origin: string): void {
    const what = origin === "unhandledRejection" ? "unhandled rejection" : "uncaught exception";
    if (this.log !== undefined) this.log.fatal({ err: error }, what);
    else this.#process.stderr.write(`${what}: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
}
