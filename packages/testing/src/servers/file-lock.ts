import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "../error-code.ts";
import { processAlive } from "../process-alive.ts";

/** Ages at which a lock is abandoned: by its holder before it wrote its pid, and by a holder in another container. */
const stale = { withoutPidMs: 10_000, anywayMs: 10 * 60_000 };

/**
 * Runs `work` while no other process runs work under the same lock, a folder that is created for the purpose. The
 * lock of a dead process is taken over. Two that take it over in the same instant may both work: use it to save
 * work, not to keep data whole.
 */
export async function withFileLock<T>(lock: string, work: () => Promise<T>): Promise<T> {
  while (!(await take(lock))) await delay(100);
  try {
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    if (await isStale(lock)) await rm(lock, { recursive: true, force: true });
    return false;
  }
  await writeFile(join(lock, "pid"), String(process.pid));
  return true;
}

async function isStale(lock: string): Promise<boolean> {
  const ageMs = await stat(lock).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );
  if (ageMs > stale.anywayMs) return true;
  const pid = await readFile(join(lock, "pid"), "utf8").then(
    (text) => Number.parseInt(text, 10),
    () => undefined,
  );
  return pid ? !processAlive(pid) : ageMs > stale.withoutPidMs;
}
