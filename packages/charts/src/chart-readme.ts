import { aboutOf, defaultTextOf, type DeclaredSetting } from "@qbit-sidecars/config";
import { type ChartedApp, keyPathOf, variableOf } from "./apps.ts";
import { documentedValues } from "./documented-values.ts";

export type ReadmeParts = {
  readonly about: string;
  readonly values: string;
  /** Values to begin with, as the app's README shows them. */
  readonly example: string;
};

/** The README of an app's chart, all of it. */
export function chartReadme(app: ChartedApp, { about, values, example }: ReadmeParts): string {
  const { name, configurable, secrets } = app;
  return `<!-- Made by \`npm run docs\`. -->

# ${name}

${about}. What it does and how is in [the app's README](../../apps/${name}/README.md).

\`\`\`sh
helm install ${name} oci://ghcr.io/qbit-sidecars/charts/${name} --values values.yaml
\`\`\`

\`\`\`yaml
${example}
\`\`\`

Installed alone it is ${modes(values)}. To have qBittorrent, the VPN and all apps from one chart, see
[qbit-sidecars](../qbit-sidecars/README.md); to put its container into a chart of your own, [sidecar-lib](../sidecar-lib/README.md).

## config

Everything below \`config:\` has the name it has in the app's config file. Names, values and defaults come from the
app itself; what is not set has the app's default.

${table(
  ["Value", "Default", "Meaning"],
  configurable.map((setting) => [
    code(["config", ...keyPathOf(setting)].join(".")),
    fallbackOf(setting),
    aboutOf(setting),
  ]),
)}

## secrets

In \`secrets.values\`, or in the Secret that \`secrets.existingSecret\` names (a key that is not there is not set).

${table(
  ["Variable", "Meaning"],
  secrets.map((setting) => [code(variableOf(setting)), setting.about]),
)}

## Values

${valuesTable(values)}
`;
}

/** The values that have a `# --` comment in a values.yaml. */
export function valuesTable(values: string): string {
  return table(
    ["Value", "Default", "Meaning"],
    documentedValues(values).map(({ path, about, fallback }) => [
      code(path),
      code(JSON.stringify(fallback)),
      about,
    ]),
  );
}

const modes = (values: string): string =>
  /^mode: sidecar/m.test(values)
    ? "a container that a patch puts into the pod of your qBittorrent (`mode: sidecar`); the notes after the installation say how. With `mode: deployment` it is a pod of its own"
    : "a pod of its own (`mode: deployment`); with `mode: sidecar` it is a container that a patch puts into the pod of your qBittorrent";

function fallbackOf(setting: DeclaredSetting): string {
  if (setting.required) return "required";
  const text = defaultTextOf(setting);
  if (text === undefined) return "";
  return setting.defaultText === undefined ? code(text) : text;
}

const code = (text: string): string => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
