/** Runs tasks one after the other for each key, such as a torrent's id; those of different keys at the same time. */
export class OneAfterAnother {
  readonly #last = new Map<string, Promise<unknown>>();

  /** @throws what the task throws; the next one runs all the same */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const running = (async () => {
      await before?.catch(() => {});
      return await task();
    })();
    this.#last.set(key, running);
    try {
      return await running;
    } finally {
      if (this.#last.get(key) === running) this.#last.delete(key);
    }
  }
}
