/** What was seen since the last decision. */
export type Observed = {
  bytesPerSecond: number;
  /** There was more to send than went through. */
  isSaturated: boolean;
  nowMs: number;
};

export type ConnectionBounds = { min: number; max: number };

/** A connection that brings less than this much more is not worth having. */
const worthwhile = 1.05;

/** After one that brought nothing, how long none is tried. */
const contentMs = 60_000;

/**
 * Finds how many connections carry most: one more while each brings something, one less when the last did not, and no
 * more than the least when there is little to send.
 */
export class ConnectionPlanner {
  readonly #bounds: ConnectionBounds;
  #count: number;
  /** The rate before the last connection was added. */
  #before: number | undefined;
  #contentUntil = 0;

  constructor(bounds: ConnectionBounds) {
    this.#bounds = bounds;
    this.#count = bounds.min;
  }

  /** @returns how many connections there are to be now */
  next({ bytesPerSecond, isSaturated, nowMs }: Observed): number {
    const { min, max } = this.#bounds;
    if (!isSaturated) {
      this.#before = undefined;
      if (bytesPerSecond === 0) this.#count = min;
      return this.#count;
    }
    if (this.#before !== undefined && bytesPerSecond < this.#before * worthwhile) {
      this.#count = Math.max(min, this.#count - 1);
      this.#contentUntil = nowMs + contentMs;
      this.#before = undefined;
    } else if (this.#count < max && nowMs >= this.#contentUntil) {
      this.#before = bytesPerSecond;
      this.#count += 1;
    } else this.#before = undefined;
    return this.#count;
  }
}
