import { readFile } from "node:fs/promises";
import { readCommandLine } from "@qbit-sidecars/config";
import { isHelmMissing } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { type ChartedApp, chartedApps, variableOf } from "./apps.ts";
import { chartsFolder } from "./chart-files.ts";
import { environmentOf, type Secrets } from "./container-environment.ts";
import { containersOf } from "./manifest.ts";
import { podOf, render } from "./render.ts";

const documented = chartedApps.filter(({ name }) =>
  ["port-sync", "pia-forwarder", "ntfy-sidecar"].includes(name),
);

describe.skipIf(await isHelmMissing())("the Helm values in the README", () => {
  test.for(documented)("of $name make a container whose settings $name takes", async (app) => {
    const values = await helmBlock(app.name);
    const [container] = containersOf(podOf(await render(app.name, { values })).spec);
    if (!container) throw new Error("there is no container");
    const env = environmentOf(container, secretsOf(app));
    const started = await readCommandLine(
      { name: app.name, version: "0", about: "", settings: app.settings },
      { argv: container.args ?? [], env },
    );
    expect(started).toMatchObject({ kind: "run", warnings: [] });
  });
});

async function helmBlock(app: string): Promise<string> {
  const readme = await readFile(new URL(`../apps/${app}/README.md`, chartsFolder), "utf8");
  const block = /<!-- helm:start -->\s*```yaml\n(.*?)```\s*<!-- helm:end -->/s.exec(readme)?.[1];
  if (block === undefined) throw new Error(`the README of ${app} has no block of Helm values`);
  return block;
}

/** The Secrets that the blocks name. */
function secretsOf({ name, secrets }: ChartedApp): Secrets {
  const values = Object.fromEntries(
    secrets.map((setting) => [variableOf(setting), valueFor(variableOf(setting))]),
  );
  return { qbittorrent: { password: "x" }, pia: values, ntfy: values, [name]: values };
}

const valueFor = (variable: string): string =>
  variable.endsWith("ROUTES") ? "films=films" : "https://example.org/x";
