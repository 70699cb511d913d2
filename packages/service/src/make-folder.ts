import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "./error-code.ts";

/**
 * Makes a folder and those above it that are missing.
 *
 * Not `mkdir` with `recursive`: where making a folder in one that exists answers ENOENT, as /proc does, that never
 * returns and keeps a thread busy (Node 20 to 26, MKDirpAsync).
 */
export async function makeFolder(path: string): Promise<void> {
  if (await make(path)) return;
  await makeFolder(dirname(path));
  await mkdir(path).catch((error: unknown) => unlessFolder(path, error));
}

/** @returns false where the folder above is missing */
async function make(path: string): Promise<boolean> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT" && dirname(path) !== path) return false;
    await unlessFolder(path, error);
  }
  return true;
}

async function unlessFolder(path: string, error: unknown): Promise<void> {
  const isFolder = errorCode(error) === "EEXIST" && (await stat(path)).isDirectory();
  if (!isFolder) throw error;
}
