/** What waits for a commit, and how large it is. */
type Batch<T> = { items: T[]; bytes: number };

export type GroupCommitOptions<T> = {
  /** How long an item may wait before a commit begins. */
  intervalMs: number;
  /** Bytes that begin it sooner. */
  bytes: number;
  /** Makes items durable. Never called twice at once: what comes meanwhile waits together for the next one. */
  commit: (items: readonly T[]) => Promise<void>;
};

/** Many items for the price of one fdatasync. */
export class GroupCommit<T> {
  readonly #options: GroupCommitOptions<T>;
  #batch: Batch<T> = { items: [], bytes: 0 };
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: GroupCommitOptions<T>) {
    this.#options = options;
  }

  add(item: T, bytes: number): void {
    this.#batch.items.push(item);
    this.#batch.bytes += bytes;
    if (this.#batch.bytes >= this.#options.bytes) void this.flush();
    else this.#timer ??= setTimeout(() => void this.flush(), this.#options.intervalMs);
  }

  /** Items of no commit yet, which are forgotten. */
  takeWaiting(): readonly T[] {
    const { items } = this.#batch;
    this.#batch = { items: [], bytes: 0 };
    return items;
  }

  /** Commits until nothing waits. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#batch.items.length > 0) await this.#options.commit(this.takeWaiting());
  }
}
