import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { closingLine, closingLineVariable } from "./closing-line-reporter.ts";
import { tempDir } from "./temp-dir.ts";
import { planTests, runSteps, type Step } from "./test-steps.ts";

/** What `npm test` and `npm run check` do; see test-steps.ts. Its last line on stdout is always the closing line. */
async function main(): Promise<number> {
  await using dir = await tempDir();
  const countsFile = join(dir.path, "closing-line");
  const plan = planTests(process.argv.slice(2));
  const env = { ...process.env, ...plan.env, [closingLineVariable]: countsFile, ...toolsOf(repository()) };
  const failure = await runSteps(plan.steps, (step) => runStep(step, env));
  if (failure)
    console.error(
      `\nFAILED: ${failure.step.name} (${failure.step.command} ${failure.step.args.join(" ")})\n`,
    );
  const nothingCounted = closingLine({ passed: 0, failed: 1, skipped: 0 });
  console.log(await readFile(countsFile, "utf8").catch(() => nothingCounted));
  return failure?.exitCode ?? 0;
}

async function runStep({ name, command, args }: Step, env: NodeJS.ProcessEnv): Promise<number> {
  console.log(`\n== ${name}`);
  const child = spawn(command, args, { env, cwd: repository(), stdio: "inherit" });
  // On Ctrl-C the terminal signals both; this process stays to say how it ended.
  const onInterrupt = () => {};
  const onTerminate = () => child.kill("SIGTERM");
  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
  const [code, signal]: [number | null, NodeJS.Signals | null] = await once(child, "exit");
  process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
  return signal === null ? (code ?? 1) : 128 + constants.signals[signal];
}

function repository(): string {
  return fileURLToPath(new URL("../../..", import.meta.url));
}

function toolsOf(root: string): Record<string, string> {
  return {
    PATH: [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter),
    TURBO_TELEMETRY_DISABLED: "1",
  };
}

process.exitCode = await main();
