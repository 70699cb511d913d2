import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SettingFault } from "@qbit-sidecars/service";
import { errorCode, unlessMissing } from "./error-code.ts";

/** Raised when an older qbsync-destination would misread what is written. */
const format = 1;

/** Name of the file in `.qbsync` that says how the rest is to be read. */
export const formatFile = "format";

/** Why a folder with this text in its format file cannot be used; undefined where it can. */
export function formatFault(text: string): string | undefined {
  const found = Number(text.trim());
  if (!(found > format)) return undefined;
  return `it was written by a newer version (its format is ${found}, the newest known here is ${format})`;
}

/**
 * An older program would cut off what it does not understand of a torrent's log.
 *
 * @throws SettingFault where the folder is a newer version's
 */
export async function refuseNewerState(stateDir: string): Promise<void> {
  const text = await unlessMissing(readFile(join(stateDir, formatFile), "utf8"));
  const fault = text === undefined ? undefined : formatFault(text);
  if (fault === undefined) return;
  throw new SettingFault(
    `${stateDir} cannot be used: ${fault}; start the newer qbsync-destination again, or move ${stateDir} away, and all is received anew`,
  );
}

/** Says how the folder is to be read, where nothing says so yet. */
export async function noteFormat(stateDir: string): Promise<void> {
  try {
    await writeFile(join(stateDir, formatFile), `${format}\n`, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
