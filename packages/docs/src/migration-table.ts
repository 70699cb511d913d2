import { type ChartedApp, chartedApps } from "@qbit-sidecars/charts";
import type { DeclaredSetting } from "@qbit-sidecars/config";
import type { Predecessor } from "./predecessors.ts";

/**
 * What becomes of each variable of a predecessor, as a Markdown table made of the app's own declaration.
 *
 * @throws Error naming a variable that the app does not read, or whose default is another one without a note that says why
 */
export function migrationTable({ app: name, variables, notes = {} }: Predecessor): string {
  const app = chartedApps.find((each) => each.name === name);
  if (app === undefined) throw new Error(`there is no app ${name}`);
  const rows = Object.entries(variables).map(([variable, theirs]) => {
    const setting = app.declared.find(({ env }) => env.includes(variable));
    if (setting === undefined) throw new Error(`${name} does not read ${variable}`);
    const note = notes[variable];
    if (theirs !== "" && note === undefined && !isSame(setting, theirs))
      throw new Error(
        `${variable}: the default was ${theirs} and is ${defaultOf(setting)}; a note must say why`,
      );
    const cells = [
      code(variable),
      theirs && code(theirs),
      defaultOf(setting),
      setting.flag === undefined ? "" : code(setting.flag),
      inChart(app, setting),
      note ?? "",
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| variable, as before | default there | default here | flag | in the chart | |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

function isSame({ kind, default: ours }: DeclaredSetting, theirs: string): boolean {
  const read = kind.parse(theirs);
  return ours !== undefined && read.ok && kind.print(read.value) === kind.print(ours.value);
}

function defaultOf({ kind, default: ours, defaultText, required }: DeclaredSetting): string {
  if (required) return "required";
  if (defaultText !== undefined) return defaultText;
  return ours === undefined ? "" : code(kind.print(ours.value));
}

function inChart({ configurable, secrets }: ChartedApp, setting: DeclaredSetting): string {
  if (secrets.includes(setting)) return "a Secret";
  if (configurable.includes(setting)) return code(`config.${setting.keys[0]}`);
  return "the chart sets it";
}

const code = (text: string): string => `\`${text}\``;
