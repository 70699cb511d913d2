import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { type ChartedApp, chartedApps } from "./apps.ts";
import { chartReadme, valuesTable } from "./chart-readme.ts";
import { configValues } from "./config-values.ts";
import { dashboard } from "./dashboard.ts";
import { panelsOf } from "./panels.ts";
import { settingsTemplate, variablesTemplate } from "./settings-template.ts";
import { umbrellaSchema, valuesSchema } from "./values-schema.ts";

/** Where the charts are. */
export const chartsFolder = new URL("../../../charts/", import.meta.url);

/** A file that is made from the apps' declarations, by its path below the charts' folder. */
export type GeneratedFile = { readonly path: string; readonly content: string };

/** Everything in the charts of apps that is made and not written. */
export async function generatedFiles(): Promise<GeneratedFile[]> {
  const ofApps = await Promise.all(chartedApps.map(filesOf));
  return [
    { path: "sidecar-lib/templates/_variables.tpl", content: variablesTemplate(chartedApps) },
    ...ofApps.flat(),
    ...(await filesOfUmbrella()),
  ];
}

async function filesOfUmbrella(): Promise<GeneratedFile[]> {
  const values = await chartFile("qbit-sidecars/values.yaml");
  return [{ path: "qbit-sidecars/values.schema.json", content: json(umbrellaSchema(values, chartedApps)) }];
}

/** The table of a chart's values, for READMEs. */
export async function valuesTableOf(chart: string): Promise<string> {
  return valuesTable(await chartFile(`${chart}/values.yaml`));
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

async function filesOf(app: ChartedApp): Promise<GeneratedFile[]> {
  const { name } = app;
  const about: { description: string } = parse(await chartFile(`${name}/Chart.yaml`));
  const everyApp = await readFile(new URL("every-app.yaml", import.meta.url), "utf8");
  const values = [
    { name: "config", content: configValues(app) },
    { name: "every-app", content: everyApp.replaceAll("APP", name) },
  ].reduce(withBlock, await chartFile(`${name}/values.yaml`));
  const example = (await chartFile(`${name}/ci/example-values.yaml`)).trim();
  return [
    { path: `${name}/values.yaml`, content: values },
    { path: `${name}/values.schema.json`, content: json(valuesSchema(app, values)) },
    { path: `${name}/templates/_settings.tpl`, content: settingsTemplate(app) },
    { path: `${name}/dashboard.json`, content: json(dashboard(name, panelsOf[name] ?? [])) },
    { path: `${name}/README.md`, content: chartReadme(app, { about: about.description, values, example }) },
  ];
}

/** Reads a file of the charts. */
export async function chartFile(path: string): Promise<string> {
  return await readFile(new URL(path, chartsFolder), "utf8");
}

/** What stands between the lines `# name:start` and `# name:end` is replaced. */
function withBlock(text: string, { name, content }: { name: string; content: string }): string {
  const start = `# ${name}:start\n`;
  const from = text.indexOf(start);
  const to = text.indexOf(`# ${name}:end\n`);
  if (from < 0 || to < 0) throw new Error(`there are no lines "# ${name}:start" and "# ${name}:end"`);
  return `${text.slice(0, from + start.length)}${content.trim()}\n${text.slice(to)}`;
}
