import type { QueueChange } from "./contract.ts";

/** Who wants to hear of changes. A listener that throws does not keep the others from hearing. */
export class Listeners {
  readonly #listeners = new Set<(change: QueueChange) => void>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  add(listener: (change: QueueChange) => void): () => void {
    // The same function may listen twice and end one of both.
    const own = (change: QueueChange) => listener(change);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  get size(): number {
    return this.#listeners.size;
  }

  tell(changes: readonly QueueChange[]): void {
    for (const listener of this.#listeners) {
      for (const change of changes) {
        try {
          listener(change);
        } catch (error) {
          this.#onError(error);
        }
      }
    }
  }
}
