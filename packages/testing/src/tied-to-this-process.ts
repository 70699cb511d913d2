import { existsSync } from "node:fs";
import process from "node:process";

/** Of util-linux. It replaces itself by the command, so the pid is the command's. */
const setpriv = "/usr/bin/setpriv";

/**
 * What to spawn instead of a command so that the Linux kernel ends it when this process dies, however it dies
 * (PR_SET_PDEATHSIG of prctl(2)): exit handlers do not run when a process is killed. Elsewhere it is the command itself.
 *
 * @param signal how it is ended; default SIGKILL
 */
export function tiedToThisProcess(
  command: string,
  args: readonly string[],
  signal: "SIGKILL" | "SIGTERM" = "SIGKILL",
): [command: string, args: string[]] {
  const canTie = process.platform === "linux" && existsSync(setpriv);
  return canTie ? [setpriv, ["--pdeathsig", signal, command, ...args]] : [command, [...args]];
}
