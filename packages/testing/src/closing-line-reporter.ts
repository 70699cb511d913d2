import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule, TestSuite } from "vitest/node";

/** Names a file that gets the counts, for the program that runs vitest as one of its steps and prints the line itself. */
export const closingLineVariable = "QBIT_SIDECARS_CLOSING_LINE";

export type Counts = { passed: number; failed: number; skipped: number };

/** The line every run of tests ends with, for people and machines alike. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** Vitest reporter that prints the closing line as the very last thing, when the process exits. */
export default class ClosingLineReporter implements Reporter {
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    process.once("exit", (code) => this.#print(code));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    this.#counts = countTests(modules, unhandledErrors.length);
  }

  /** A run can fail without any test that failed: no test file was found, a server could not be had. */
  #print(exitCode: number): void {
    const isUnexplained = exitCode !== 0 && this.#counts.failed === 0;
    const line = closingLine(isUnexplained ? { ...this.#counts, failed: 1 } : this.#counts);
    const file = process.env[closingLineVariable];
    if (file) writeFileSync(file, line);
    else process.stdout.write(`${line}\n`);
  }
}

/** A module or suite that fails by itself, when it is imported or in a hook, is a failure like a test's. */
function countTests(modules: readonly TestModule[], unhandledErrors: number): Counts {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const groups: (TestModule | TestSuite)[] = modules.flatMap((module) => [
    module,
    ...module.children.allSuites(),
  ]);
  const count = (state: string) => tests.filter((test) => test.result().state === state).length;
  const failedGroups = groups.filter((group) => group.errors().length > 0).length;
  return {
    passed: count("passed"),
    failed: count("failed") + failedGroups + unhandledErrors,
    // A test that never ran, because the run was broken off, is not passed either.
    skipped: count("skipped") + count("pending"),
  };
}
