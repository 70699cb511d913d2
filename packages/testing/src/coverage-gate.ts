/** Of lines and of branches, at least, in each folder. */
const floor = { lines: 90, branches: 90 };

/** Where people write programs of their own, what is not reached is a hole in the language. */
const higher: Readonly<Record<string, typeof floor>> = { "packages/rules": { lines: 95, branches: 95 } };

/**
 * What people run, by what has to run for its tests to reach it: `unit` needs no server, `contract` needs real ones as
 * well. What only tests use (testing, e2e, bench, charts, docs) is not measured.
 */
const folders = {
  unit: [
    "apps/ntfy-sidecar",
    "apps/pia-forwarder",
    "apps/port-sync",
    "packages/config",
    "packages/rules",
    "packages/service",
  ],
  contract: [
    "apps/qbsync-destination",
    "apps/qbsync-source",
    "apps/rules-server",
    "apps/rules-worker",
    "packages/jobs",
    "packages/qbit-client",
    "packages/qbsync-protocol",
    "packages/rules-run",
  ],
} as const;

/**
 * Not measured: tests and what only they use; `main.ts`, which the end-to-end tests run from the bundles; generated code;
 * the page of rules-server, which runs in the browser of a contract test.
 */
const left = [
  "**/*.test.ts",
  "**/*.fixture.ts",
  "**/*-under-test.ts",
  "**/test-*.ts",
  "**/src/main.ts",
  "**/gen/**",
  "apps/rules-server/src/page/**",
  "apps/qbsync-source/src/hand-off-world.ts",
  "packages/jobs/src/conformance/**",
  "packages/jobs/src/{kill-rounds,mortal-process,queue-conformance,queue-model}.ts",
  "packages/qbit-client/src/endpoint-contract/**",
  "packages/qbsync-protocol/src/generate.ts",
  "packages/rules/src/seed-example.ts",
];

/** Chooses the gate: `unit` or `all`. */
export const coverageVariable = "QBIT_SIDECARS_COVERAGE";

/** The coverage of vitest.config.ts, for `--coverage`. Without the variable it measures and refuses nothing. */
export function coverageGate(which: string | undefined) {
  const gated = { unit: folders.unit, all: [...folders.unit, ...folders.contract] };
  const held = which === "unit" || which === "all" ? gated[which] : [];
  return {
    provider: "v8" as const,
    include: [...folders.unit, ...folders.contract].map((folder) => `${folder}/src/**/*.ts`),
    exclude: left,
    reporter: ["json-summary", "text-summary"],
    reportsDirectory: "node_modules/.coverage",
    // A test that fails takes minutes to run again; what the others reach is known.
    reportOnFailure: true,
    thresholds: Object.fromEntries(held.map((folder) => [`${folder}/src/**`, higher[folder] ?? floor])),
  };
}
