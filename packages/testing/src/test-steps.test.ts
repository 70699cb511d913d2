import { describe, expect, test } from "vitest";
import { planTests, runSteps, type Step } from "./test-steps.ts";

const names = (steps: readonly Step[]) => steps.map(({ name }) => name);

describe("a run of the tests", () => {
  test("checks, builds and then tests", () => {
    const { steps } = planTests([]);
    expect(names(steps)).toEqual([
      "types",
      "types of the page",
      "lint",
      "format",
      "package boundaries",
      "build",
      "tests",
    ]);
  });

  test("hands what it does not know to vitest", () => {
    const { steps, env } = planTests(["--long", "packages/config", "-t", "secret"]);
    expect(steps.at(-1)?.args).toEqual(["run", "packages/config", "-t", "secret"]);
    expect(env).toEqual({ QBIT_SIDECARS_LONG: "1" });
  });

  test("with --check needs neither a build nor a server", () => {
    const { steps, env } = planTests(["--check"]);
    expect(names(steps)).toEqual([
      "types",
      "types of the page",
      "lint",
      "format",
      "package boundaries",
      "unit tests",
    ]);
    expect(steps.at(-1)?.args).toEqual(["run", "--project", "unit", "--coverage"]);
    expect(env).toEqual({ QBIT_SIDECARS_COVERAGE: "unit" });
  });

  test("with --coverage measures unit and contract tests together", () => {
    const { steps, env } = planTests(["--coverage"]);
    const args = ["run", "--project", "unit", "--project", "contract", "--coverage"];
    expect(steps).toMatchObject([{ command: "vitest", args }]);
    expect(env).toEqual({ QBIT_SIDECARS_COVERAGE: "all" });
  });

  test("of some tests gates no coverage: they reach only some of the code", () => {
    for (const argv of [
      ["--check", "packages/config"],
      ["--coverage", "packages/config"],
    ]) {
      const { steps, env } = planTests(argv);
      expect(steps.at(-1)?.args).not.toContain("--coverage");
      expect(env).toEqual({});
    }
  });

  test("ends with the first step that fails and tells which", async () => {
    const ran: string[] = [];
    const run = async ({ name }: Step) => {
      ran.push(name);
      return name === "lint" ? 3 : 0;
    };
    expect(await runSteps(planTests([]).steps, run)).toMatchObject({ step: { name: "lint" }, exitCode: 3 });
    expect(ran).toEqual(["types", "types of the page", "lint"]);
  });
});
