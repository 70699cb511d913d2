/** What the readings of free space add up to. */
export type SpaceVerdict = "room" | "short" | "unsure";

/**
 * Free space of the disk with the data. One reading is not believed: a cleanup begins only when two, apart in time,
 * both found too little. qBittorrent's own figure is not among them: it says 0 for a while after its start.
 */
export class FreeSpace {
  readonly #options: { minBytes: number; apartMs: number };
  #shortSince: number | undefined;
  #last: number | undefined;

  constructor(options: { minBytes: number; apartMs: number }) {
    this.#options = options;
  }

  /** The last reading in bytes. */
  get lastBytes(): number | undefined {
    return this.#last;
  }

  /** @param now monotonic milliseconds */
  read(freeBytes: number, now: number): SpaceVerdict {
    this.#last = freeBytes;
    if (freeBytes >= this.#options.minBytes) {
      this.#shortSince = undefined;
      return "room";
    }
    this.#shortSince ??= now;
    return now - this.#shortSince >= this.#options.apartMs ? "short" : "unsure";
  }

  /** Something was removed: what was read before says nothing any more. */
  reset(): void {
    this.#shortSince = undefined;
  }
}
