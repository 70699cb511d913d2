import { type ProcessLike, systemClock } from "@qbit-sidecars/service";
import type { Config } from "../config.ts";
import { type CommandContext, type ExitCode, serverOf } from "./command.ts";
import { ServerError } from "./server-client.ts";

type Given = {
  readonly command: string | undefined;
  readonly config: Config;
  readonly operands: readonly string[];
  readonly warnings: readonly string[];
};

/** Everything but the server. Each command is loaded only when it is asked for. */
export async function runCli(
  { command, config, operands, warnings }: Given,
  { stdout, stderr }: Pick<ProcessLike, "stdout" | "stderr">,
): Promise<ExitCode> {
  for (const warning of warnings) stderr.write(`warning: ${warning}\n`);
  const context: CommandContext = {
    config,
    operands,
    stdout,
    stderr,
    server: serverOf(config),
    sleep: async (ms) => await systemClock.sleep(ms),
    monotonic: () => systemClock.monotonic(),
  };
  try {
    const run = await commandOf(command, config);
    return await run(context);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    stderr.write(`qbt-rules: ${error.message}\n`);
    return 3;
  }
}

type Run = (context: CommandContext) => Promise<ExitCode>;

async function commandOf(command: string | undefined, config: Config): Promise<Run> {
  if (command === "healthcheck") return (await import("./ask-health.ts")).askHealth;
  if (command === "install-hooks") return (await import("./install-hooks.ts")).installHooks;
  if (command === "explain") return (await import("./explain.ts")).explain;
  if (command === "lint") return (await import("./lint-file.ts")).lintFile;
  if (command === "test") return (await import("./test-file.ts")).testFile;
  if (command === "migrate") return (await import("./migrate-file.ts")).migrateFile;
  if (config.validate || config.listRules) return (await import("./check-rules.ts")).checkRules;
  const jobs = await import("./jobs.ts");
  if (config.stats) return jobs.showStats;
  if (config.cancelJob !== undefined) return jobs.cancelJob;
  if (config.jobStatus !== undefined) return jobs.showJob;
  if (config.listJobs) return jobs.listJobs;
  return (await import("./submit.ts")).submit;
}
