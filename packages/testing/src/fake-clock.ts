import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

type Sleeper = { dueAtMs: number; wake: () => void };

/** How many turns of the event loop code under test gets to run on after a wake-up: promise jobs and immediates. */
const turnsToSettle = 5;

/** The most real time for one move of `advanceUntil`: what hangs on purpose has a real timer as well. */
const longestBusyMs = 500;

/** Real time that code under test may spend on sockets and files without sleeping on the clock. */
const longestIdleMs = 4_000;

/**
 * A clock that stands still until a test moves it; structurally the `Clock` of `@qbit-sidecars/service`.
 *
 * `advance` wakes due sleepers one after another, in the order they are due, each at its own time, and lets the code
 * they wake run until it sleeps again. Code that waits for real sockets or files needs real time as well: use
 * `advanceUntil` for that.
 */
export class FakeClock {
  #elapsedMs = 0;
  #wallAtStartMs: number;
  #sleepers: Sleeper[] = [];

  /** @param startMs wall clock at the start, epoch milliseconds */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#wallAtStartMs = startMs;
  }

  /** Wall clock, epoch milliseconds. */
  now = (): number => this.#wallAtStartMs + this.#elapsedMs;

  /** Milliseconds since this clock was made; never set back. */
  monotonic = (): number => this.#elapsedMs;

  /** Resolves when the clock was advanced by `ms`; rejects with the signal's reason, at once when already aborted. */
  sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    if (signal?.aborted) return rejectWith(signal);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#remove(sleeper);
        rejectWith(signal).catch(reject);
      };
      const sleeper: Sleeper = {
        dueAtMs: this.#elapsedMs + Math.max(0, ms),
        wake: () => {
          this.#remove(sleeper);
          signal?.removeEventListener("abort", leave);
          resolve();
        },
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#sleepers.push(sleeper);
    });
  };

  /** How many sleeps are pending. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Milliseconds until the next sleeper is due, undefined when nobody sleeps. */
  get nextDueInMs(): number | undefined {
    const next = this.#next();
    return next && next.dueAtMs - this.#elapsedMs;
  }

  /** Sets the wall clock forward or, with a negative number, back, as an NTP correction does; nobody wakes. */
  jumpWallClock(ms: number): void {
    this.#wallAtStartMs += ms;
  }

  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#next(); next && next.dueAtMs <= untilMs; next = this.#next()) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueAtMs);
      next.wake();
      await settle();
    }
    this.#elapsedMs = untilMs;
  }

  /**
   * Moves from sleeper to sleeper until `condition` holds. Before each move the code under test must have done nothing
   * with sockets and files for `graceMs` of real time.
   *
   * @throws Error when `withinMs` of this clock are over, or when nobody sleeps on it for 4 s of real time
   */
  async advanceUntil(
    condition: () => boolean | Promise<boolean>,
    options: { what: string; withinMs?: number; graceMs?: number },
  ): Promise<void> {
    const { what, withinMs = 3_600_000, graceMs = 5 } = options;
    const untilMs = this.#elapsedMs + withinMs;
    let idleSince = performance.now();
    while (!(await holdsWithin(condition, graceMs))) {
      const next = this.#next();
      if (next && next.dueAtMs > untilMs) {
        // Time is over, but not for what the code is still busy with: on a slow machine that takes longer.
        if (await holdsWithin(condition, graceMs, longestIdleMs)) return;
        throw new Error(`gave up waiting for ${what} after ${withinMs} ms of the fake clock`);
      }
      if (next) {
        await this.advance(next.dueAtMs - this.#elapsedMs);
        idleSince = performance.now();
      } else if (performance.now() - idleSince > longestIdleMs) {
        throw new Error(
          `gave up waiting for ${what}: nobody sleeps on the fake clock, and it did not come true`,
        );
      }
    }
  }

  /** Gives the code under test the real time it needs to finish what it does with sockets and files now. */
  async settle(): Promise<void> {
    await holdsWithin(() => false, 3);
  }

  #next(): Sleeper | undefined {
    // Of several due at the same time the one that fell asleep first: minBy keeps the first of equals.
    return this.#sleepers.reduce<Sleeper | undefined>(
      (first, sleeper) => (first === undefined || sleeper.dueAtMs < first.dueAtMs ? sleeper : first),
      undefined,
    );
  }

  #remove(sleeper: Sleeper): void {
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < turnsToSettle; turn++) await nextTurn();
}

/** Gives code that is busy with sockets and files more than `realMs`, so that a slow machine is no other machine. */
async function holdsWithin(
  condition: () => boolean | Promise<boolean>,
  realMs: number,
  longestMs = longestBusyMs,
): Promise<boolean> {
  const start = performance.now();
  let busyAt = start;
  while (true) {
    await settle();
    if (await condition()) return true;
    const now = performance.now();
    if (isBusy()) busyAt = now;
    if (now - busyAt >= realMs || now - start >= longestMs) return false;
    await delay(1);
  }
}

/** Requests have time limits, which are real timers; an idle keep-alive connection is none of these. */
function isBusy(): boolean {
  return process
    .getActiveResourcesInfo()
    .some((kind) => /^(?:Timeout|FSReq|ConnectWrap|CloseReq)/u.test(kind));
}

/** Like the platform's own `setTimeout` of node:timers/promises, but with the reason itself. */
async function rejectWith(signal: AbortSignal | undefined): Promise<never> {
  signal?.throwIfAborted();
  throw new Error("sleeping was aborted");
}
