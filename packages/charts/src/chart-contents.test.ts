import Ajv from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type ChartedApp, chartedApps } from "./apps.ts";
import { chartFile } from "./chart-files.ts";

type ChartYaml = {
  version: string;
  appVersion: string;
  kubeVersion: string;
  annotations: Record<string, string>;
};

describe.each(chartedApps)("the chart of $name", (app) => {
  test("shows in values.yaml what is in force: uncommented, it is valid and says the defaults", async () => {
    const block = /# config:start\n.*?\nconfig: \{\}\n(.*?)# config:end/s.exec(
      await chartFile(`${app.name}/values.yaml`),
    )?.[1];
    const config: Record<string, unknown> = parse((block ?? "").replaceAll(/^ {2}# ?/gm, "")) ?? {};
    expect(validate(await schemaOf(app), { config })).toBeUndefined();
    expect(leaves(config)).toEqual(
      Object.fromEntries(app.configurable.map((setting) => [setting.keys[0], writtenDefault(setting)])),
    );
  });

  test("names on Artifact Hub the image it installs", async () => {
    const chart: ChartYaml = parse(await chartFile(`${app.name}/Chart.yaml`));
    expect(parse(chart.annotations["artifacthub.io/images"] ?? "")).toMatchObject([
      { name: app.name, image: `ghcr.io/qbit-sidecars/${app.name}:${chart.appVersion}` },
    ]);
    expect(parse(chart.annotations["artifacthub.io/changes"] ?? "")).not.toEqual([]);
    expect(chart.annotations).toMatchObject({
      "artifacthub.io/license": "MIT",
      "artifacthub.io/category": "networking",
    });
  });
});

test("the umbrella takes the seven charts and the library, in the versions they have", async () => {
  const umbrella: { dependencies: { name: string; version: string; condition?: string }[] } = parse(
    await chartFile("qbit-sidecars/Chart.yaml"),
  );
  const versions = await Promise.all(
    ["sidecar-lib", ...chartedApps.map(({ name }) => name)].map(async (name) => {
      const { version }: ChartYaml = parse(await chartFile(`${name}/Chart.yaml`));
      const condition = name === "sidecar-lib" ? {} : { condition: `${name}.enabled` };
      return { name, version, repository: `file://../${name}`, ...condition };
    }),
  );
  expect(umbrella.dependencies).toEqual(versions);
});

async function schemaOf({ name }: ChartedApp): Promise<object> {
  return JSON.parse(await chartFile(`${name}/values.schema.json`));
}

function validate(schema: object, values: unknown): unknown {
  const ajv = new Ajv.Ajv({ strict: false });
  return ajv.validate(schema, values) ? undefined : ajv.errors;
}

/** By dotted path. */
function leaves(value: Record<string, unknown>, prefix = ""): Record<string, unknown> {
  const entries = Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.entries(leaves(inner as Record<string, unknown>, `${prefix}${key}.`))
      : [[`${prefix}${key}`, inner] as const],
  );
  return Object.fromEntries(entries);
}

function writtenDefault({ default: fallback, kind }: ChartedApp["configurable"][number]): unknown {
  if (!fallback) return null;
  return kind.written ? kind.print(fallback.value) : fallback.value;
}
