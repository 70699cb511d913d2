/** Lets a number of tasks run at the same time; the others wait in the order of asking. */
export class Slots {
  readonly count: number;
  #running = 0;
  #peak = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.count = count;
  }

  /** The most that ran at the same time. */
  get peak(): number {
    return this.#peak;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      await promise;
    } else {
      this.#running += 1;
      this.#peak = Math.max(this.#peak, this.#running);
    }
    try {
      return await task();
    } finally {
      // The slot goes to the next one, so that nobody comes between.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
