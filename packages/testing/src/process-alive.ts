import { errorCode } from "./error-code.ts";

/** Whether a process of this machine, anybody's, has this pid. */
export function processAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}
