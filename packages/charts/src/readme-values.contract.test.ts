import { readFile } from "node:fs/promises";
import { readCommandLine } from "@qbit-sidecars/config";
import { isHelmMissing } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { type ChartedApp, chartedApps, variableOf } from "./apps.ts";
import { chartFile, chartsFolder } from "./chart-files.ts";
import { environmentOf, readMountedFile, type Secrets } from "./container-environment.ts";
import { type Container, containersOf, podTemplateOf } from "./manifest.ts";
import { podOf, render } from "./render.ts";

const withHelmBlock = await documented();

describe.skipIf(await isHelmMissing())("a container whose settings its app takes is made", () => {
  test.for(withHelmBlock)("of the Helm values in the README of $name", async (app) => {
    const manifests = await render(app.name, { values: await helmBlock(app.name) });
    await expectAccepted(app, containersOf(podOf(manifests).spec));
  });

  test.for(chartedApps)("of the example of the chart $name", async (app) => {
    const manifests = await render(app.name, {
      values: await chartFile(`${app.name}/ci/example-values.yaml`),
    });
    await expectAccepted(app, containersOf(podOf(manifests).spec));
  });

  test.for(chartedApps)("of the umbrella with everything: $name", async (app) => {
    const values = await chartFile("qbit-sidecars/ci/everything-values.yaml");
    const manifests = await render("qbit-sidecars", { values });
    const pods = manifests.map(podTemplateOf).filter((pod) => pod !== undefined);
    await expectAccepted(
      app,
      pods.flatMap(({ spec }) => containersOf(spec)),
    );
  });
});

async function expectAccepted(app: ChartedApp, containers: readonly Container[]): Promise<void> {
  const container = containers.find(({ name }) => name === app.name);
  if (!container) throw new Error(`there is no container ${app.name}`);
  const program = { name: app.name, version: "0", about: "", settings: app.settings };
  const env = environmentOf(container, secretsOf(app));
  const started = await readCommandLine(program, {
    argv: container.args ?? [],
    env,
    readFile: readMountedFile,
  });
  expect(started).toMatchObject({ kind: "run", warnings: [] });
}

/** Apps whose README has a block of Helm values. */
async function documented(): Promise<ChartedApp[]> {
  const blocks = await Promise.all(chartedApps.map(async ({ name }) => await readmeOf(name)));
  return chartedApps.filter((_, index) => blocks[index]?.includes("<!-- helm:start -->"));
}

async function readmeOf(app: string): Promise<string> {
  return await readFile(new URL(`../apps/${app}/README.md`, chartsFolder), "utf8").catch(() => "");
}

async function helmBlock(app: string): Promise<string> {
  const block = /<!-- helm:start -->\s*```yaml\n(.*?)```\s*<!-- helm:end -->/s.exec(await readmeOf(app))?.[1];
  if (block === undefined) throw new Error(`the README of ${app} has no block of Helm values`);
  return block;
}

/** The Secrets that the values name, as their comments say to make them. */
function secretsOf({ name, secrets }: ChartedApp): Secrets {
  const variables = secrets.filter(({ kind }) => kind.secret).map(variableOf);
  const values = Object.fromEntries(variables.map((variable) => [variable, valueFor(variable)]));
  return {
    qbittorrent: { password: "x", QBIT_PASS: "x" },
    pia: values,
    ntfy: values,
    "qbt-rules": values,
    [name]: values,
  };
}

/** Long enough for a token. */
const valueFor = (variable: string): string =>
  variable.endsWith("ROUTES") ? "films=films" : "https://example.org/x";
