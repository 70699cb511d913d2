/** What was seen since the last decision. */
export type Observed = {
  bytesPerSecond: number;
  /** There was more to send than went through. */
  isSaturated: boolean;
  nowMs: number;
};

export type ConnectionBounds = { min: number; max: number };

/** Connections that bring less than this much more are not worth having. */
const worthwhile = 1.05;

/** How long a new one is left alone before it is judged: at 550 ms TCP needs nine round trips to be at its speed. */
const settlingMs = 8000;

/** After some that brought nothing, how long none is tried. */
const contentMs = 60_000;

/**
 * Finds how many connections carry most: more of them while they bring something, one the first time, then two, then
 * four; fewer when the last ones did not; and no more than the least when there is little to send.
 */
export class ConnectionPlanner {
  readonly #bounds: ConnectionBounds;
  #count: number;
  /** What was added last, and the rate before. */
  #trial: { added: number; before: number; since: number } | undefined;
  #step = 1;
  #contentUntil = 0;

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds;
    this.#count = bounds.min;
  }

  /** @returns how many connections there are to be now */
  next({ bytesPerSecond, isSaturated, nowMs }: Observed): number {
    const trial = this.#trial;
    if (!isSaturated) {
      this.#trial = undefined;
      this.#step = 1;
      if (bytesPerSecond === 0) this.#count = this.#bounds.min;
    } else if (trial === undefined || nowMs - trial.since >= settlingMs) {
      this.#trial = undefined;
      if (trial !== undefined && bytesPerSecond < trial.before * worthwhile)
        this.#takeBack(trial.added, nowMs);
      else {
        if (trial !== undefined) this.#step *= 2;
        if (nowMs >= this.#contentUntil) this.#add(bytesPerSecond, nowMs);
      }
    }
    return this.#count;
  }

  #add(before: number, since: number): void {
    const added = Math.min(this.#step, this.#bounds.max - this.#count);
    if (added === 0) return;
    this.#count += added;
    this.#trial = { added, before, since };
  }

  #takeBack(added: number, nowMs: number): void {
    this.#count -= added;
    this.#step = 1;
    this.#contentUntil = nowMs + contentMs;
  }
}
