import { type BigIntStats, constants } from "node:fs";
import {
  access,
  copyFile,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readlink,
  rename,
  rmdir,
  unlink,
} from "node:fs/promises";
import { platform } from "node:os";
import { basename, dirname, sep } from "node:path";
import { conflict } from "./refused.ts";

/** O_PATH of Linux, for which Node has no name, needs no permission to read the folder. */
const pinFlags = 0o10_000_000 | constants.O_DIRECTORY;

/**
 * What is done to files below a folder, without a moment in which one of the folders above a file could be replaced by
 * a link that leads elsewhere: the file's own folder is opened, looked up where that really is, and the file is
 * reached through the open folder (`/proc/self/fd`, which is what Node has for `openat`). The last part of a path is
 * never followed. Without `/proc`, on other systems than Linux, paths are used as they are.
 */
export class PinnedFolder {
  readonly #root: string;
  readonly #canPin: boolean;

  private constructor(root: string, canPin: boolean) {
    this.#root = root;
    this.#canPin = canPin;
  }

  /** @param root a real path: without links */
  static async open(root: string): Promise<PinnedFolder> {
    const canPin = await access("/proc/self/fd").then(
      () => platform() === "linux",
      () => false,
    );
    return new PinnedFolder(root, canPin);
  }

  open(path: string, flags: number, mode?: number): Promise<FileHandle> {
    return this.#at(path, (pinned) => open(pinned, flags, mode));
  }

  lstat(path: string): Promise<BigIntStats> {
    return this.#at(path, (pinned) => lstat(pinned, { bigint: true }));
  }

  mkdir(path: string): Promise<unknown> {
    return this.#at(path, (pinned) => mkdir(pinned));
  }

  rmdir(path: string): Promise<void> {
    return this.#at(path, rmdir);
  }

  unlink(path: string): Promise<void> {
    return this.#at(path, unlink);
  }

  link(from: string, to: string): Promise<void> {
    return this.#between(from, to, link);
  }

  rename(from: string, to: string): Promise<void> {
    return this.#between(from, to, rename);
  }

  copyFile(from: string, to: string, mode: number): Promise<void> {
    return this.#between(from, to, (pinnedFrom, pinnedTo) => copyFile(pinnedFrom, pinnedTo, mode));
  }

  #between(from: string, to: string, use: (from: string, to: string) => Promise<void>): Promise<void> {
    return this.#at(from, (pinnedFrom) => this.#at(to, (pinnedTo) => use(pinnedFrom, pinnedTo)));
  }

  async #at<T>(path: string, use: (pinned: string) => Promise<T>): Promise<T> {
    if (!this.#canPin) return await use(path);
    const named = dirname(path);
    const folder = await open(named, pinFlags);
    const pinned = `/proc/self/fd/${folder.fd}`;
    try {
      const real = await readlink(pinned);
      if (real !== this.#root && !real.startsWith(this.#root + sep))
        throw conflict(`${named} is or lies in a link that leads out of the data directory`);
      return await use(`${pinned}/${basename(path)}`);
    } catch (error) {
      // Errors are for people, who know the file by its name.
      if (error instanceof Error) error.message = error.message.replaceAll(pinned, named);
      throw error;
    } finally {
      await folder.close();
    }
  }
}
