import process from "node:process";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./packages/testing/src/longest-first.ts";
import { coverageGate, coverageVariable } from "./packages/testing/src/coverage-gate.ts";

const node = {
  environment: "node",
  pool: "forks",
  // The second that is Vitest's default is short on a busy machine; what comes true is not waited for any longer.
  expect: { poll: { timeout: 10_000 } },
} as const;

export default defineConfig({
  test: {
    // Most tests wait for servers: two at a time leave neither of two cores idle. Vitest would leave one out.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    reporters: ["default", "./packages/testing/src/closing-line-reporter.ts"],
    coverage: coverageGate(process.env[coverageVariable]),
    projects: [
      {
        test: {
          ...node,
          name: "unit",
          // A slow machine is no fault of the code.
          testTimeout: 30_000,
          include: ["apps/*/src/**/*.test.ts", "packages/*/src/**/*.test.ts"],
          exclude: ["**/*.contract.test.ts", "**/*.e2e.test.ts", "**/node_modules/**"],
        },
      },
      {
        test: {
          ...node,
          name: "contract",
          include: ["apps/*/src/**/*.contract.test.ts", "packages/*/src/**/*.contract.test.ts"],
          globalSetup: "./packages/testing/src/provide-servers.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...node,
          name: "e2e",
          include: ["packages/e2e/src/**/*.e2e.test.ts"],
          globalSetup: "./packages/testing/src/provide-servers.ts",
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
