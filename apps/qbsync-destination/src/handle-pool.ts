import type { FileHandle } from "node:fs/promises";

type Entry = { handle: Promise<FileHandle>; users: number };

/**
 * Open files, kept for reuse up to a number. Data of a file that was closed before its fdatasync is not lost on
 * the way: Linux syncs the file, not the handle, and reports an error in between to the next one that opens it.
 */
export class HandlePool implements AsyncDisposable {
  #max: number;
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>();

  constructor(max = 256) {
    this.#max = max;
  }

  /** Runs `use` with the file of this path, opened by `open` unless it is open. */
  async with<T>(
    path: string,
    open: () => Promise<FileHandle>,
    use: (handle: FileHandle) => Promise<T>,
  ): Promise<T> {
    const entry = this.#entries.get(path) ?? { handle: open(), users: 0 };
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    entry.users += 1;
    try {
      return await use(await entry.handle);
    } catch (error) {
      await this.#dropIfBroken(path, entry);
      throw error;
    } finally {
      entry.users -= 1;
      await this.#evict();
    }
  }

  /** Closes a file once nobody uses it, such as one that gets another name. */
  async close(path: string): Promise<void> {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#entries.delete(path);
    await closed(entry);
  }

  /** What is opened after that, by a write that came late, is closed after its use: Node ends a process that forgets it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#max = 0;
    await Promise.all([...this.#entries.keys()].map((path) => this.close(path)));
  }

  async #evict(): Promise<void> {
    if (this.#entries.size <= this.#max) return;
    for (const [path, entry] of this.#entries) {
      if (entry.users > 0) continue;
      this.#entries.delete(path);
      return closed(entry);
    }
  }

  async #dropIfBroken(path: string, entry: Entry): Promise<void> {
    const isOpen = await entry.handle.then(
      () => true,
      () => false,
    );
    if (!isOpen && this.#entries.get(path) === entry) this.#entries.delete(path);
  }
}

const closed = async ({ handle }: Entry): Promise<void> => {
  const opened = await handle.catch(() => undefined);
  await opened?.close();
};
