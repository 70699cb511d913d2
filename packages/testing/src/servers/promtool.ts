import { findProgram, ServerUnavailableError } from "./find-program.ts";
import type { ServerKind } from "./program.ts";
import { runCommand } from "./run-command.ts";
import { reasonForLack, tellSkip } from "./server-at-hand.ts";

const promtoolKind: ServerKind = {
  name: "promtool",
  variable: "QBIT_SIDECARS_PROMTOOL",
  executable: "promtool",
  version: "2.53.3",
  accepts: (version) => /^[23]\./.test(version),
  debian: { suite: "trixie", package: "prometheus" },
};

/** Whether a test file must do without promtool; told as {@link isMissing} tells it. */
export async function isPromtoolMissing(env = process.env): Promise<boolean> {
  const reason = await reasonForLack(promtoolKind, { env });
  if (reason === undefined) return false;
  if (env.CI === "true") throw new ServerUnavailableError(reason);
  tellSkip(reason);
  return true;
}

/**
 * Runs Prometheus' own tool on files in `dir` (`check rules`, `test rules`) and returns what it printed on stdout.
 *
 * @throws Error with what it said
 */
export async function runPromtool(args: readonly string[], { dir }: { dir: string }): Promise<string> {
  const program = await findProgram(promtoolKind);
  const run = program.commandLine({ args, dir, env: { HOME: dir } });
  return await runCommand(run.command, run.args, { cwd: dir, env: run.env, timeoutMs: 60_000 });
}
