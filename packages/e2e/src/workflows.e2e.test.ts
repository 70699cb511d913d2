import { isActionlintMissing, lintWorkflows } from "@qbit-sidecars/testing";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { builtApps, repository } from "./app-images.ts";

type Step = { uses?: string; run?: string; with?: Record<string, unknown> };
type Job = { permissions?: unknown; "timeout-minutes"?: number; uses?: string; steps?: Step[] };
type Workflow = { permissions: unknown; jobs: Record<string, Job> };

const folder = join(repository, ".github/workflows");
const files = (await readdir(folder)).filter((file) => file.endsWith(".yml"));

test.skipIf(await isActionlintMissing())(
  "actionlint finds nothing wrong with the workflows",
  async () => {
    expect(await lintWorkflows(repository)).toBe("");
  },
  300_000,
);

describe.each(files)("the workflow %s", (file) => {
  test("has no permission but those its jobs ask for, and every job has an end", async () => {
    const { permissions, jobs } = parse(await readFile(join(folder, file), "utf8")) as Workflow;
    expect(permissions).toEqual({});
    for (const [name, job] of Object.entries(jobs)) {
      expect({ name, permissions: job.permissions }).toEqual({ name, permissions: expect.any(Object) });
      const isBounded = job.uses !== undefined || Number(job["timeout-minutes"]) <= 60;
      expect({ name, isBounded }).toEqual({ name, isBounded: true });
    }
  });

  test("uses others' actions only by their commit, with the version beside it, and leaves no token in a checkout", async () => {
    const text = await readFile(join(folder, file), "utf8");
    const uses = text.split("\n").filter((line) => /^\s*(- )?uses: (?!\.\/)/u.test(line));
    for (const line of uses) expect(line).toMatch(/uses: [\w-]+\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/u);
    const { jobs } = parse(text) as Workflow;
    const steps = Object.values(jobs).flatMap((job) => job.steps ?? []);
    for (const step of steps.filter(({ uses: action }) => action?.startsWith("actions/checkout@")))
      expect(step.with).toMatchObject({ "persist-credentials": false });
  });

  test("no text from outside becomes part of a script", async () => {
    const { jobs } = parse(await readFile(join(folder, file), "utf8")) as Workflow;
    const scripts = Object.values(jobs).flatMap((job) => (job.steps ?? []).map(({ run = "" }) => run));
    expect(scripts.filter((script) => script.includes("${{"))).toEqual([]);
  });
});

describe("a release", () => {
  type ExtraFile = { type: string; path: string; jsonpath?: string };
  type Config = { packages: { ".": { "extra-files": ExtraFile[] } } };
  const read = async (path: string) => readFile(join(repository, path), "utf8");
  const readJson = async (path: string): Promise<Record<string, unknown>> => JSON.parse(await read(path));

  test("raises the version of every package, app and chart", async () => {
    const config = JSON.parse(await read(".github/release-please/config.json")) as Config;
    const raised = config.packages["."]["extra-files"].map(({ path }) => path);
    const packages = (await foldersWith("package.json")).map((path) => `${path}/package.json`);
    const programs = packages
      .filter((path) => path.startsWith("apps/"))
      .map((path) => path.replace("package.json", "src/program.ts"));
    const charts = (await foldersWith("Chart.yaml")).map((path) => `${path}/Chart.yaml`);
    const all = [...packages, ...programs.filter((path) => existsSync(join(repository, path))), ...charts];
    expect(all.filter((path) => !raised.includes(path))).toEqual([]);
  });

  test("starts from one version, which all of them have", async () => {
    const { ".": version } = await readJson(".github/release-please/manifest.json");
    expect((await readJson("package.json"))["version"]).toBe(version);
    for (const path of await foldersWith("package.json"))
      expect({ path, ...(await readJson(`${path}/package.json`)) }).toMatchObject({ path, version });
    for (const path of await foldersWith("Chart.yaml"))
      expect({ path, ...parse(await read(`${path}/Chart.yaml`)) }).toMatchObject({ path, version });
  });

  test.each(builtApps)("%s tells its version where release-please looks", async (app) => {
    expect(await read(`apps/${app}/src/program.ts`)).toMatch(
      /version: "\d+\.\d+\.\d+", \/\/ x-release-please-version$/mu,
    );
  });
});

/** Folders of the workspace and the charts that hold the file, relative to the repository. */
async function foldersWith(file: string): Promise<string[]> {
  const parents = ["apps", "packages", "charts"];
  const folders = await Promise.all(
    parents.map(async (parent) =>
      (await readdir(join(repository, parent))).map((name) => `${parent}/${name}`),
    ),
  );
  return folders.flat().filter((path) => existsSync(join(repository, path, file)));
}
