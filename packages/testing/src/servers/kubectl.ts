import { tempDir } from "../temp-dir.ts";
import { findProgram, ServerUnavailableError } from "./find-program.ts";
import type { ServerKind } from "./program.ts";
import { runCommand } from "./run-command.ts";
import { reasonForLack, tellSkip } from "./server-at-hand.ts";

const kubectlKind: ServerKind = {
  name: "kubectl",
  variable: "QBIT_SIDECARS_KUBECTL",
  executable: "kubectl",
  version: "1.32.3",
  accepts: (version) => Number(version.split(".")[1]) >= 29,
  debian: { suite: "trixie", package: "kubectl" },
};

/** Whether a test file must do without kubectl; told as {@link isMissing} tells it. */
export async function isKubectlMissing(env = process.env): Promise<boolean> {
  const reason = await reasonForLack(kubectlKind, { env });
  if (reason === undefined) return false;
  if (env.CI === "true") throw new ServerUnavailableError(reason);
  tellSkip(reason);
  return true;
}

/**
 * Runs a kubectl command that needs no cluster (`kustomize`, `patch --local`) and returns what it printed on stdout.
 *
 * @throws Error with what kubectl said
 */
export async function runKubectl(args: readonly string[]): Promise<string> {
  const program = await findProgram(kubectlKind);
  await using home = await tempDir();
  const env = { HOME: home.path, KUBECONFIG: "/dev/null", PATH: process.env.PATH ?? "" };
  const run = program.commandLine({ args, dir: home.path, env });
  return await runCommand(run.command, run.args, { env: run.env, timeoutMs: 60_000 });
}
