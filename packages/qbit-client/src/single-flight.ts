/** Runs a task at most once at a time: whoever comes while it runs gets the same result. */
export class SingleFlight<T> {
  #running: Promise<T> | undefined;

  /**
   * `signal` only ends this caller's wait. The task itself belongs to all its callers and goes on: a login
   * given up because its first caller lost interest would be one attempt wasted.
   */
  async run(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#running === undefined) {
      const running = task().finally(() => {
        if (this.#running === running) this.#running = undefined;
      });
      this.#running = running;
    }
    return signal === undefined ? await this.#running : await untilAborted(this.#running, signal);
  }
}

async function untilAborted<T>(task: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([task, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
