import type { Clock } from "@qbit-sidecars/service";

/** Lets so many bytes pass each second; those who come first pass first. */
export class TokenBucket {
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  /** When all that was let through so far will have been paid for. */
  #paidAt: number;

  /** @param bytesPerSecond 0 for no limit */
  constructor(bytesPerSecond: number, clock: Clock) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#clock = clock;
    this.#paidAt = clock.monotonic();
  }

  /** Resolves when the bytes may go. What was not used is not saved up. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.#bytesPerMs === 0) return;
    const now = this.#clock.monotonic();
    const startsAt = Math.max(now, this.#paidAt);
    this.#paidAt = startsAt + bytes / this.#bytesPerMs;
    if (startsAt > now) await this.#clock.sleep(startsAt - now, signal);
  }
}
