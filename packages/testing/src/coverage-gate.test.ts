import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { coverageGate } from "./coverage-gate.ts";

const repository = new URL("../../../", import.meta.url);

/** Tests, and what tests, documents and measures. */
const forDevelopment = ["bench", "charts", "docs", "e2e", "testing"].map((name) => `packages/${name}`);

test("everything that is shipped is measured and has its floor", async () => {
  const folders = ["apps", "packages"].map(async (parent) =>
    (await readdir(new URL(parent, repository))).map((name) => `${parent}/${name}`),
  );
  const shipped = (await Promise.all(folders)).flat().filter((folder) => !forDevelopment.includes(folder));
  const { include, thresholds } = coverageGate("all");
  expect(include.toSorted()).toEqual(shipped.map((folder) => `${folder}/src/**/*.ts`).toSorted());
  expect(Object.keys(thresholds).toSorted()).toEqual(shipped.map((folder) => `${folder}/src/**`).toSorted());
  const low = Object.entries(thresholds).filter(([, { lines, branches }]) => Math.min(lines, branches) < 90);
  expect(low).toEqual([]);
});

test("without servers only that has a floor which its unit tests reach; without a gate nothing has", () => {
  expect(Object.keys(coverageGate("unit").thresholds)).toContain("apps/port-sync/src/**");
  expect(Object.keys(coverageGate("unit").thresholds)).not.toContain("apps/rules-worker/src/**");
  expect(coverageGate(undefined).thresholds).toEqual({});
});
