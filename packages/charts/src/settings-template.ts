import { type ChartedApp, keyPathOf, variableOf } from "./apps.ts";

const generated = "{{/* Made by `npm run docs` from the app's config.ts. */}}";

/** What the library chart has to know of an app's settings, as named templates that give JSON. */
export function settingsTemplate({ name, configurable, secrets }: ChartedApp): string {
  const settings = configurable.map((setting) => ({
    name: setting.name,
    env: variableOf(setting),
    key: keyPathOf(setting),
    ...(setting.name === "qbitUrl" && isOptional(setting) && { optional: true }),
  }));
  const fromSecrets = secrets.map((setting) => ({ name: setting.name, env: variableOf(setting) }));
  return [
    generated,
    template(`${name}.settings`, settings),
    template(`${name}.secrets`, fromSecrets),
    "",
  ].join("\n");
}

/** Not required and without a default: the app does without. */
function isOptional({ required, default: fallback }: ChartedApp["configurable"][number]): boolean {
  return !required && fallback === undefined;
}

/** Every variable that means something to some app, for names of Services that must not make one of them. */
export function variablesTemplate(apps: readonly ChartedApp[]): string {
  const variables = apps.flatMap(({ declared }) => declared.flatMap(({ env }) => env));
  const all = [...new Set(variables)].toSorted((a, b) => (a < b ? -1 : 1));
  return [generated, template("sidecar-lib.variables", all), ""].join("\n");
}

function template(name: string, items: readonly unknown[]): string {
  const lines = items.map((item) => `  ${JSON.stringify(item)}`).join(",\n");
  return `{{- define "${name}" -}}\n[\n${lines}\n]\n{{- end -}}`;
}
