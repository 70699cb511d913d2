import { setTimeout as delay } from "node:timers/promises";
import type { Ledger } from "./ledger.ts";

/** How often what is waited for is looked for. */
export const pollMs = 400;

/** What is asked of the pod and looked for until it is done, whatever is broken meanwhile. */
export class Errands {
  readonly ledger: Ledger;
  readonly #now: () => number;
  #count = 0;

  constructor(ledger: Ledger, now: () => number) {
    this.ledger = ledger;
    this.#now = now;
  }

  /** A name in the ledger, unlike any other. */
  nextId(what: string): string {
    this.#count += 1;
    return `${this.#count}: ${what}`;
  }

  /** From now on somebody relies on it. */
  sent(kind: string, id: string, { count = 1 } = {}): void {
    this.ledger.sent(kind, id, { at: this.#now(), count });
  }

  /** It was seen to be done now. */
  done(kind: string, id: string): void {
    this.ledger.done(kind, id, this.#now());
  }

  /** Waits until something that was sent is done, and closes its book. */
  async finish(
    kind: string,
    id: string,
    { isDone, giveUp }: { isDone: () => Promise<boolean>; giveUp: AbortSignal },
  ): Promise<void> {
    if (!(await this.until(isDone, giveUp))) return;
    this.done(kind, id);
    this.ledger.close(kind, id);
  }

  /** Asks again and again, whatever is broken meanwhile. @returns false when given up */
  async until(isDone: () => Promise<boolean> | boolean, giveUp: AbortSignal): Promise<boolean> {
    while (!giveUp.aborted) {
      try {
        if (await isDone()) return true;
      } catch {
        // Broken on purpose.
      }
      await this.pause(pollMs, giveUp);
    }
    return false;
  }

  /** Ends early, and well, with the signal. */
  async pause(ms: number, signal: AbortSignal): Promise<void> {
    await delay(ms, undefined, { signal }).catch(() => {});
  }
}
