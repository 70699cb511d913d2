import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { errorCode, unlessMissing } from "./error-code.ts";

/** Resolves when the disk has the names in a folder. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await unlessMissing(open(folder, constants.O_RDONLY));
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch (error) {
    // File systems that cannot sync a folder, such as some network ones.
    if (!["EINVAL", "ENOTSUP"].includes(errorCode(error) ?? "")) throw error;
  } finally {
    await handle.close();
  }
}
