import { readFile, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

import { errorCode } from "./error-code.ts";
import type { Logger } from "./log.ts";
import { makeFolder } from "./make-folder.ts";
import type { Metrics } from "./metrics.ts";
import { isLeftover, writeFileAtomic } from "./write-file-atomic.ts";

export type StateDirOptions = {
  /** The setting STATE_DIR. Made when it does not exist. */
  dir: string;
  /** What still holds while nothing can be kept, in words: "a new port is asked for after every restart". */
  promise: string;
  log: Logger;
  metrics: Metrics;
};

/** A directory that keeps an app's state across restarts, or admits that it cannot. */
export type StateDir = {
  readonly dir: string;
  /** Whether the last write succeeded. */
  writable(): boolean;
  /** The file's content; undefined when it does not exist or cannot be read (which is logged). */
  read(name: string): Promise<string | undefined>;
  /**
   * Replaces the file atomically and durably. Resolves to false when that was not possible: the app goes on
   * with the weaker promise, which is logged once, and state_dir_writable is 0 until a write succeeds.
   */
  write(name: string, content: string, options?: { mode?: number }): Promise<boolean>;
  /**
   * Gives a file that cannot be used another name, so that the next write does not destroy it: it may be a newer
   * version's. Resolves to that name, or to undefined when it could not be renamed, which is logged.
   */
  setAside(name: string): Promise<string | undefined>;
};

/**
 * @param known the newest format that this version understands
 * @returns why a kept JSON file with a `version` is not to be touched, or undefined where it is not newer
 */
export function newerFormat(text: string, known: number): string | undefined {
  const version = /^\s*\{\s*"version"\s*:\s*(\d+)/.exec(text)?.[1];
  if (version === undefined || Number(version) <= known) return undefined;
  return `it was written by a newer version (its format is ${version}, the newest known here is ${known})`;
}

/** Opens the state directory; tries a write so that a wrong permission shows at start and not a day later. */
export async function openStateDir({ dir, promise, log, metrics }: StateDirOptions): Promise<StateDir> {
  const gauge = metrics.gauge({
    name: "state_dir_writable",
    help: "1 when state is kept across restarts, 0 when STATE_DIR cannot be written.",
  });
  let writable = true;
  const wrote = (error?: unknown): boolean => {
    const now = error === undefined;
    if (writable && !now) log.warn({ err: error, dir }, `STATE_DIR cannot be written, so ${promise}`);
    if (!writable && now) log.info({ dir }, "STATE_DIR can be written again");
    writable = now;
    gauge.set(now ? 1 : 0);
    return now;
  };
  const attempt = async (write: () => Promise<unknown>): Promise<boolean> => {
    try {
      await makeFolder(dir);
      await write();
      return wrote();
    } catch (error) {
      return wrote(error);
    }
  };

  await attempt(() => tryOut(dir));
  return {
    dir,
    writable: () => writable,
    read: (name) => readIfThere(join(dir, name), log),
    write: (name, content, options) => attempt(() => writeFileAtomic(join(dir, name), content, options)),
    async setAside(name) {
      const other = `${name}.set-aside-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
      try {
        await rename(join(dir, name), join(dir, other));
        return other;
      } catch (error) {
        log.warn({ err: error, dir, name }, "setting a kept file aside that cannot be used");
        return undefined;
      }
    },
  };
}

async function tryOut(dir: string): Promise<void> {
  const probe = join(dir, ".writable");
  await writeFileAtomic(probe, "");
  await unlink(probe);
  // What a kill in the middle of an earlier write has left.
  const leftovers = (await readdir(dir)).filter(isLeftover);
  await Promise.all(leftovers.map((name) => unlink(join(dir, name))));
}

/** What grows beyond is no state of ours. */
const largestStateBytes = 64 * 1024 * 1024;

async function readIfThere(path: string, log: Logger): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > largestStateBytes)
      throw new Error(`${path} has ${size} bytes, and ${largestStateBytes} are the most`);
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) !== "ENOENT")
      log.warn({ err: error, path }, "reading kept state; going on without it");
    return undefined;
  }
}
