import type { Declaration, DeclaredSetting, Settings } from "./declare-settings.ts";
import { aboutOf, defaultTextOf } from "./help.ts";

/** The settings as a Markdown table for a README. */
export function settingsTable<D extends Declaration>({ declared }: Settings<D>): string {
  const head = [
    "| Setting | Flag | Variables | File key | Default | Meaning |",
    "| --- | --- | --- | --- | --- | --- |",
  ];
  return [...head, ...declared.filter(({ hidden }) => !hidden).map(row)].join("\n");
}

function row(setting: DeclaredSetting): string {
  const { name, flag, env, keys, required } = setting;
  const fallback = defaultTextOf(setting);
  const cells = [
    name,
    flag === undefined ? "" : code(flag),
    env.map(code).join(", "),
    keys.map(code).join(", "),
    required ? "required" : (setting.defaultText ?? (fallback === undefined ? "" : code(fallback))),
    aboutOf(setting),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

const code = (text: string): string => `\`${text}\``;
