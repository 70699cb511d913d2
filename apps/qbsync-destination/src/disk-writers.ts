import { OneAfterAnother } from "./one-after-another.ts";
import { Slots } from "./slots.ts";

/**
 * Writes to the disk: so many at the same time, and one at a time to each file. Linux lets one writer into a file;
 * others that try meanwhile burn a core each while they wait (measured on ext4: up to half of all CPU time).
 */
export class DiskWriters {
  readonly #slots: Slots;
  readonly #turns = new OneAfterAnother();

  constructor(count: number) {
    this.#slots = new Slots(count);
  }

  /** The most that wrote at the same time. */
  get peak(): number {
    return this.#slots.peak;
  }

  /** Whoever waits for a file keeps no other file from being written. @throws what `task` throws */
  async run(path: string, task: () => Promise<void>): Promise<void> {
    await this.#turns.run(path, () => this.#slots.run(task));
  }
}
