import { type ChildProcess, spawn } from "node:child_process";
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
  const onTerminate = () => child.kill("SIGTERM");
  process.on("SIGINT", stayForTheEnd).on("SIGTERM", onTerminate);
  const exitCode = await exitCodeOf(child);
  process.off("SIGINT", stayForTheEnd).off("SIGTERM", onTerminate);
  return exitCode;
}

/** On Ctrl-C the terminal signals the step as well; this process still has to say how it ended. */
function stayForTheEnd(): void {}

/** As a shell has it: 128 and the signal's number for a killed program, 127 for one that is not there. */
function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) =>
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
    );
    child.once("error", (error) => {
      console.error(error.message);
      resolve(127);
    });
  });
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
