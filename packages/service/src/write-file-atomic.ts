import { randomUUID } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

type OpenFile = (path: string, flags: string, mode?: number) => Promise<FileHandle>;

export type WriteFileAtomicOptions = {
  /** Permissions of the file, exactly, whatever the umask. Default 0o600: what is kept is often a token. */
  mode?: number;
  /** Opens files; tests pass one that fails. */
  openFile?: OpenFile;
};

/**
 * Replaces a file so that a reader, or the next start after a power cut, sees the old content or the new
 * content and nothing between. The directory must exist and be writable; the original file need not exist.
 *
 * Rejects with the operating system's error, leaving the original as it was and no temporary file behind.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o600, openFile = open }: WriteFileAtomicOptions = {},
): Promise<void> {
  // In the same directory, because rename is atomic only within one file system.
  const temporary = temporaryFor(path);
  try {
    await writeDurably(temporary);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncDirectory(dirname(path), openFile);

  async function writeDurably(to: string): Promise<void> {
    // "wx" so that a link planted under this name is refused rather than followed.
    await using file = await openFile(to, "wx", mode);
    await file.writeFile(data);
    await file.chmod(mode);
    await file.sync();
  }
}

const TEMPORARY = /^\..+\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** Whether a file name is one that writeFileAtomic leaves behind when the process is killed under it. */
export function isLeftover(name: string): boolean {
  return TEMPORARY.test(name);
}

function temporaryFor(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
}

/** The rename itself lives in the directory, which has its own cache to flush. */
async function syncDirectory(path: string, openFile: OpenFile): Promise<void> {
  try {
    await using directory = await openFile(path, "r");
    await directory.sync();
  } catch {
    // Some network and FUSE file systems refuse to open or sync a directory. The new content is in place
    // and visible by now, so failing here would report a write that did happen as one that did not.
  }
}
