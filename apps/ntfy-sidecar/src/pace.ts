/** What the server allows: `burst` requests at once, one more each `refillMs`; `daily` messages, 0 for no limit. */
export type Limits = { burst: number; refillMs: number; daily: number };

/** Messages sent on a day of UTC, as ntfy counts them. */
export type DayCount = { day: string; sent: number };

/** The server said that it is too much: of requests just now, or of messages today. */
export type Refusal = { reason: "requests" | "quota"; retryAfterMs?: number | undefined };

const longestWaitMs = 15 * 60_000;

/**
 * Keeps to ntfy's own limits, because its 429 names no time to come back (ntfy #1173), and because ntfy.sh bans who
 * does not heed it. Progress leaves half of the burst and a fifth of the day to what matters.
 */
export class Pace {
  readonly #limits: Limits;
  #tokens: number;
  #filledAtMs: number;
  #today: DayCount;
  #refusals = 0;
  #notBeforeMs = 0;

  constructor(limits: Limits, { nowMs, today }: { nowMs: number; today?: DayCount | undefined }) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#filledAtMs = nowMs;
    this.#today = today ?? { day: dayOf(nowMs), sent: 0 };
  }

  get today(): DayCount {
    return this.#today;
  }

  /** Milliseconds until a request may be made; 0: now. `Infinity`: not today, and tomorrow is found out by asking again. */
  waitMs(kind: "important" | "progress", nowMs: number): number {
    this.#fill(nowMs);
    const banMs = Math.max(0, this.#notBeforeMs - nowMs);
    const { burst, refillMs, daily } = this.#limits;
    if (kind === "progress" && daily > 0 && this.#today.sent >= Math.floor(daily * 0.8))
      return Math.max(banMs, untilMidnight(nowMs));
    const reserve = kind === "progress" ? Math.floor(burst / 2) : 0;
    const lacking = Math.max(0, reserve + 1 - this.#tokens);
    const sinceMs = nowMs - this.#filledAtMs;
    return Math.max(banMs, lacking === 0 ? 0 : lacking * refillMs - sinceMs);
  }

  /** A request is made. */
  take(nowMs: number): void {
    this.#fill(nowMs);
    this.#tokens -= 1;
    this.#today = { ...this.#today, sent: this.#today.sent + 1 };
  }

  /** The server took it. */
  accepted(): void {
    this.#refusals = 0;
  }

  /** The server did not take it; @returns how long to stay silent, ms */
  refused({ reason, retryAfterMs = 0 }: Refusal, nowMs: number): number {
    this.#tokens = 0;
    this.#filledAtMs = nowMs;
    this.#refusals += 1;
    const firstMs = reason === "quota" ? longestWaitMs : this.#limits.refillMs;
    const waitMs = Math.max(
      retryAfterMs,
      Math.min(longestWaitMs, Math.max(1000, firstMs) * 2 ** (this.#refusals - 1)),
    );
    this.#notBeforeMs = nowMs + Math.min(waitMs, 24 * 3_600_000);
    return this.#notBeforeMs - nowMs;
  }

  #fill(nowMs: number): void {
    const { burst, refillMs } = this.#limits;
    if (dayOf(nowMs) !== this.#today.day) this.#today = { day: dayOf(nowMs), sent: 0 };
    // A clock that was set back must not make everything wait for it.
    if (nowMs < this.#filledAtMs) this.#filledAtMs = nowMs;
    const gained = refillMs === 0 ? burst : Math.floor((nowMs - this.#filledAtMs) / refillMs);
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#filledAtMs = this.#tokens === burst ? nowMs : this.#filledAtMs + gained * refillMs;
  }
}

function dayOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}

function untilMidnight(nowMs: number): number {
  const dayMs = 24 * 3_600_000;
  return dayMs - (nowMs % dayMs);
}
