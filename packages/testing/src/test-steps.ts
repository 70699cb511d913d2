import { coverageVariable } from "./coverage-gate.ts";

export type Step = {
  /** What it finds out, for people. */
  name: string;
  command: string;
  args: readonly string[];
};

export type TestPlan = { steps: readonly Step[]; env: Readonly<Record<string, string>> };

const checks: readonly Step[] = [
  { name: "types", command: "tsc", args: ["-p", "."] },
  { name: "types of the page", command: "tsc", args: ["-p", "apps/rules-server/src/page"] },
  { name: "lint", command: "oxlint", args: ["--type-aware"] },
  { name: "format", command: "oxfmt", args: ["--check"] },
  { name: "package boundaries", command: "turbo", args: ["boundaries"] },
];

const build: Step = { name: "build", command: "turbo", args: ["run", "build", "--output-logs=errors-only"] };

/**
 * Everything one run of the tests does, in order.
 *
 * @param argv `--check`: no build and only what needs no server, its coverage gated; `--coverage`: unit and contract
 *   tests, the coverage of everything gated; `--long`: all qBittorrent versions and slow tests; all else goes to vitest
 */
export function planTests(argv: readonly string[]): TestPlan {
  const forVitest = argv.filter((argument) => !["--check", "--coverage", "--long"].includes(argument));
  const env = argv.includes("--long") ? { QBIT_SIDECARS_LONG: "1" } : {};
  const unit = ["run", "--project", "unit", ...forVitest];
  // Some of the tests reach some of the code: with a filter there is nothing to gate.
  const gate = (which: string): Pick<TestPlan, "env"> & { args: string[] } =>
    forVitest.length > 0
      ? { env, args: [] }
      : { env: { ...env, [coverageVariable]: which }, args: ["--coverage"] };
  if (argv.includes("--check")) {
    const { env: gated, args } = gate("unit");
    return {
      env: gated,
      steps: [...checks, { name: "unit tests", command: "vitest", args: [...unit, ...args] }],
    };
  }
  if (argv.includes("--coverage")) {
    const { env: gated, args } = gate("all");
    const tests = [...unit, "--project", "contract", ...args];
    return { env: gated, steps: [{ name: "unit and contract tests", command: "vitest", args: tests }] };
  }
  return {
    env,
    steps: [...checks, build, { name: "tests", command: "vitest", args: ["run", ...forVitest] }],
  };
}

/**
 * Runs the steps up to the first that fails.
 *
 * @param run runs a step with its output on the terminal and returns its exit code
 * @returns the failed step with its exit code, undefined when all went well
 */
export async function runSteps(
  steps: readonly Step[],
  run: (step: Step) => Promise<number>,
): Promise<{ step: Step; exitCode: number } | undefined> {
  for (const step of steps) {
    const exitCode = await run(step);
    if (exitCode !== 0) return { step, exitCode };
  }
  return undefined;
}
