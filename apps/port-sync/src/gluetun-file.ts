import { errorCode } from "@qbit-sidecars/service";
import { watch } from "chokidar";
import { type BigIntStats, constants } from "node:fs";
import { open, stat } from "node:fs/promises";
import { sep } from "node:path";
import { type NoPort, type PortReading, portFileMaxBytes, readPort } from "./read-port.ts";

/** The clock a port file is read by; `now` is wall time, because it is compared with the file's own time. */
type FileClock = { now(): number; sleep(ms: number, signal?: AbortSignal): Promise<void> };

type PortFileOptions = {
  path: string;
  /** Which port to take when there are several, from 1. */
  index: number;
  /** A file younger than this may still be being written; it is read again when it has come of age. */
  debounceMs: number;
  clock: FileClock;
};

/**
 * Gluetun's port file. It is written in place, truncated first and without a rename
 * (`os.WriteFile`, gluetun internal/portforward/service/fs.go), so a reader that reacts to the first event sees it empty.
 */
export class PortFile {
  readonly path: string;
  readonly #index: number;
  readonly #debounceMs: number;
  readonly #clock: FileClock;
  /** Of the last look; looking again tells whether somebody wrote since, whoever missed it. */
  #stamp = "never read";

  constructor({ path, index, debounceMs, clock }: PortFileOptions) {
    this.path = path;
    this.#index = index;
    this.#debounceMs = debounceMs;
    this.#clock = clock;
  }

  /**
   * Reads the file once it has been left alone for the debounce. The reading's `mark` changes with every write, so that
   * the same port written again is seen as announced again.
   *
   * @throws only the signal's reason: a file that cannot be read is a reading without a port
   */
  async read(signal: AbortSignal): Promise<PortReading> {
    for (;;) {
      const { reading, modifiedMs } = await this.#look();
      const ageMs = this.#clock.now() - modifiedMs;
      // A time in the future (a skewed clock on a network volume) never settles; it is taken as it stands.
      if (ageMs < 0 || ageMs >= this.#debounceMs) return reading;
      await this.#clock.sleep(this.#debounceMs - ageMs, signal);
    }
  }

  async #look(): Promise<{ reading: PortReading; modifiedMs: number }> {
    try {
      // Non-blocking, or a FIFO at this path would hold the reader for ever.
      await using file = await open(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
      const before = await file.stat({ bigint: true });
      this.#stamp = stampOf(before);
      if (!before.isFile()) return none("the port file is not a regular file", false);
      const buffer = Buffer.alloc(portFileMaxBytes + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      const modifiedMs = Number(before.mtimeMs);
      if (bytesRead > portFileMaxBytes) {
        const why = `the port file is longer than ${portFileMaxBytes} bytes, so it is not gluetun's`;
        return { reading: { kind: "none", why, cleared: false }, modifiedMs };
      }
      const found = readPort(buffer.toString("utf8", 0, bytesRead), this.#index);
      if (found.kind === "none") return { reading: found, modifiedMs };
      return { reading: { ...found, source: "file", mark: `${before.ino}:${before.mtimeNs}` }, modifiedMs };
    } catch (error) {
      this.#stamp = await currentStamp(this.path);
      return unreadable(error, this.path);
    }
  }

  /**
   * Calls `onChange` after every change of the file or of the folders above it, which need not exist yet. inotify is
   * deaf on some bind mounts and network volumes, so the file is also looked at every `pollMs` (0 = never).
   */
  watch({ pollMs, onChange, onError }: WatchOptions): AsyncDisposable {
    // Given the file itself and no depth, chokidar waits at the nearest folder that exists and finds its way down again
    // after any of them was removed and made anew. Should it be a folder, what is in there is none of our business.
    const below = this.path + sep;
    const ignored = (path: string): boolean => path.startsWith(below);
    const watcher = watch(this.path, { ignoreInitial: true, atomic: false, ignored });
    watcher.on("all", onChange);
    watcher.on("error", onError);
    const stopPolling = pollMs === 0 ? undefined : this.#poll(pollMs, onChange);
    return {
      async [Symbol.asyncDispose]() {
        stopPolling?.abort();
        await watcher.close();
      },
    };
  }

  #poll(pollMs: number, onChange: () => void): AbortController {
    const stop = new AbortController();
    const { signal } = stop;
    const look = async () => {
      for (;;) {
        await this.#clock.sleep(pollMs, signal);
        if ((await currentStamp(this.path)) !== this.#stamp) onChange();
      }
    };
    // Only the sleep rejects, and only because watching has ended.
    look().catch(() => undefined);
    return stop;
  }
}

async function currentStamp(path: string): Promise<string> {
  try {
    return stampOf(await stat(path, { bigint: true }));
  } catch (error) {
    return errorCode(error) ?? String(error);
  }
}

function stampOf({ ino, mtimeNs, size }: BigIntStats): string {
  return `${ino}:${mtimeNs}:${size}`;
}

type WatchOptions = { pollMs: number; onChange: () => void; onError: (error: unknown) => void };

function none(why: string, cleared: boolean): { reading: NoPort; modifiedMs: number } {
  return { reading: { kind: "none", why, cleared }, modifiedMs: Number.NEGATIVE_INFINITY };
}

function unreadable(error: unknown, path: string): { reading: NoPort; modifiedMs: number } {
  const code = errorCode(error) ?? String(error);
  if (code === "ENOENT" || code === "ENOTDIR") return none(`there is no port file at ${path}`, true);
  if (code === "EACCES" || code === "EPERM") {
    return none(
      `the port file at ${path} may not be read by this user; give it read access to the file and its folder`,
      false,
    );
  }
  return none(`the port file at ${path} cannot be read (${code})`, false);
}
