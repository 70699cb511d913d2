import { readFileSync } from "node:fs";
import { errorCode } from "./error-code.ts";

/** Whether a process of this machine, anybody's, has this pid and has not ended. */
export function processAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

/** Ended, and nobody has asked how: for good, in a container whose first process does not care for orphans. */
function isZombie(pid: number): boolean {
  try {
    // "pid (name) state …", where the name may hold anything.
    return /^.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
