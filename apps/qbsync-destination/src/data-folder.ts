import { lstat, realpath, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { errorCode } from "./error-code.ts";
import { PinnedFolder } from "./pinned-folder.ts";
import { conflict, invalid } from "./refused.ts";

/** Bytes that common file systems allow in one name, and Linux in one path. */
const limits = { nameBytes: 255, pathBytes: 4000, depth: 64 };

/**
 * The parts of a path that someone else sent, checked: relative, no "..", nothing that a file system could
 * understand in another way.
 *
 * @throws RefusedError
 */
export function partsOf(path: string, what: string): string[] {
  if (Buffer.byteLength(path) > limits.pathBytes)
    throw invalid(`${what} is longer than ${limits.pathBytes} bytes`);
  const parts = path.split("/");
  if (parts.length > limits.depth) throw invalid(`${what} is more than ${limits.depth} folders deep`);
  for (const part of parts) {
    if (["", ".", ".."].includes(part) || hasControlCharacter(part) || !part.isWellFormed())
      throw invalid(`${what} is not a plain relative path: ${JSON.stringify(path.slice(0, 200))}`);
    if (Buffer.byteLength(part) > limits.nameBytes)
      throw invalid(`a name in ${what} is longer than ${limits.nameBytes} bytes`);
  }
  return parts;
}

/** A NUL ends a path for the system, and the others are in no name that a person gave. */
export const hasControlCharacter = (text: string): boolean =>
  Array.from(text).some((character) => character < " " || character === "\x7f");

/**
 * Whether a name could be that of our own folder on any file system: some do not tell upper from lower case (SMB, APFS,
 * exFAT), leave out dots and spaces at the end (SMB) or characters that nobody sees (HFS+), or have short names (FAT).
 */
function couldBeState(name: string): boolean {
  const plain = name
    .normalize("NFKC")
    .replaceAll(/[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad]/g, "")
    .replace(/[. ]+$/, "")
    .toLowerCase();
  return plain === ".qbsync" || /^qbsync~\d+$/.test(plain);
}

/** As files are called that are not whole; see torrent-files.ts. */
const isUnfinishedName = (name: string): boolean => /^\.[0-9a-f]{40}\.\d+\.qbsync$/i.test(name);

/** The data directory: the only place where anything is written, and never outside of it by way of a link. */
export class DataFolder {
  readonly path: string;
  /** Where this program keeps its own state. */
  readonly stateDir: string;
  /** How everything below it is reached. */
  readonly files: PinnedFolder;
  readonly #checked = new Set<string>();

  private constructor(path: string, files: PinnedFolder) {
    this.path = path;
    this.files = files;
    this.stateDir = join(path, ".qbsync");
  }

  /** @throws Error when it is not there or is not a directory */
  static async open(path: string): Promise<DataFolder> {
    const real = await realpath(path).catch((cause: unknown) => {
      const why = errorCode(cause) === "ENOENT" ? "it is not there; is it mounted?" : errorCode(cause);
      throw new Error(`opening the data directory ${path}: ${why}`, { cause });
    });
    if (!(await stat(real)).isDirectory()) throw new Error(`the data directory ${path} is not a directory`);
    return new DataFolder(real, await PinnedFolder.open(real));
  }

  /** The absolute path of a checked relative one. */
  resolve(parts: readonly string[]): string {
    if (parts[0] !== undefined && couldBeState(parts[0]))
      throw invalid(`the folder .qbsync is this program's own, and ${JSON.stringify(parts[0])} could be it`);
    if (parts.some(isUnfinishedName)) throw invalid("names that end in .<n>.qbsync are this program's own");
    return join(this.path, ...parts);
  }

  /**
   * Makes a folder and those above it.
   *
   * @returns folders whose content changed, for fsync
   * @throws RefusedError when something else is in the way, or a link leads out of the data directory
   */
  async make(folder: string): Promise<string[]> {
    const inside = relative(this.path, folder);
    if (inside === "" || this.#checked.has(folder)) return [];
    const changed = await this.make(dirname(folder));
    if (await this.#mkdir(folder)) changed.push(dirname(folder));
    this.#checked.add(folder);
    return changed;
  }

  /** Folders may have been deleted or replaced since they were looked at. */
  forget(): void {
    this.#checked.clear();
  }

  async #mkdir(folder: string): Promise<boolean> {
    try {
      await this.files.mkdir(folder);
      return true;
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
    await this.#refuseToLeave(folder);
    return false;
  }

  async #refuseToLeave(folder: string): Promise<void> {
    const found = await lstat(folder);
    if (found.isDirectory()) return;
    const name = relative(this.path, folder);
    if (!found.isSymbolicLink() || !(await stat(folder)).isDirectory())
      throw conflict(`${name} is in the way: it is not a folder`, { inTheWay: folder });
    const real = await realpath(folder);
    if (real !== this.path && !real.startsWith(this.path + sep))
      throw conflict(`${name} is a link that leads out of the data directory`, { inTheWay: folder });
  }
}
