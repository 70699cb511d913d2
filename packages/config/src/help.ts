import { Help } from "commander";
import type { Declaration, DeclaredSetting } from "./declare-settings.ts";
import { configFileNames } from "./given-config-file.ts";
import type { Program } from "./program.ts";

/** The text of `--help`: one block for each setting, under its group's heading, with all its names. */
export function renderHelp<D extends Declaration>(program: Program<D>, columns = 80): string {
  const width = Math.min(100, Math.max(60, columns));
  const { name, version, about, commands = [], settings } = program;
  const groups = Map.groupBy(
    settings.declared.filter(({ hidden }) => !hidden),
    ({ group }) => group,
  );
  const sections = [
    `${name} ${version}\n${wrap(about, { width, indent: 0 })}`,
    `Usage: ${name} [flags]${commands.length === 0 ? "" : " [command]"}`,
    section(
      "Commands",
      commands.map((command) => item(command.name, [command.about], width)),
    ),
    ...[...groups].map(([group, members]) =>
      section(
        group,
        members.map((setting) => settingItem(setting, width)),
      ),
    ),
    section("Everywhere", everywhere(program, width)),
    section(
      "Examples",
      (program.examples ?? []).map((example) => `  ${example}`),
    ),
    section("How values are found", values(width)),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

const section = (heading: string, items: readonly string[]): string =>
  items.length === 0 ? "" : `${heading}:\n${items.join("\n")}`;

function item(term: string, paragraphs: readonly string[], width: number): string {
  return [`  ${term}`, ...paragraphs.map((text) => wrap(text, { width, indent: 6 }))].join("\n");
}

function wrap(text: string, { width, indent }: { readonly width: number; readonly indent: number }): string {
  const margin = " ".repeat(indent);
  return new Help().boxWrap(text, width - indent).replace(/^/gm, margin);
}

function settingItem(setting: DeclaredSetting, width: number): string {
  return item(termOf(setting), [aboutOf(setting), factsOf(setting)], width);
}

function termOf({ flag, env, keys, kind }: DeclaredSetting): string {
  if (flag === undefined) return [...env, ...keys][0] ?? "";
  return kind.toggle ? flag.replace(/^--/, "--[no-]") : `${flag} <${kind.placeholder}>`;
}

/** The meaning and how a value is written, as one sentence. */
export function aboutOf({ about, kind }: DeclaredSetting): string {
  return kind.hint === undefined ? about : `${about.replace(/\.$/, "")} (${kind.hint}).`;
}

function factsOf(setting: DeclaredSetting): string {
  const { env, keys } = setting;
  const facts = [
    env.length === 0 ? undefined : env.join(", "),
    keys[0] === undefined ? undefined : `file key: ${keys[0]}`,
    defaultOf(setting),
  ];
  return facts.filter((fact) => fact !== undefined).join(" | ");
}

function defaultOf(setting: DeclaredSetting): string {
  const text = defaultTextOf(setting);
  if (text !== undefined) return `default: ${text}`;
  return setting.required ? "required" : "optional";
}

/** The default as a person would write it, or undefined without one. */
export function defaultTextOf({ default: fallback, defaultText, kind }: DeclaredSetting): string | undefined {
  return defaultText ?? (fallback && kind.print(fallback.value));
}

function everywhere<D extends Declaration>(program: Program<D>, width: number): string[] {
  const { flag, env } = configFileNames(program);
  const place = program.configFile?.default;
  const facts = [env.join(", "), typeof place === "string" ? `default: ${place}` : undefined];
  return [
    item(
      `${flag} <path>`,
      ["YAML file with settings.", facts.filter((fact) => fact !== undefined).join(" | ")],
      width,
    ),
    item(
      "--print-config",
      ["Print the effective settings and where each came from, secrets hidden; then end."],
      width,
    ),
    item("-h, --help", ["Print this text; then end."], width),
    item("-V, --version", ["Print the version; then end."], width),
  ];
}

function values(width: number): string[] {
  return [
    "A flag wins over VARIABLE_FILE, that over VARIABLE, that over the config file, that over the default.",
    "Every variable also exists as VARIABLE_FILE: the path of a small file that holds the value, for secrets.",
    "Of several variables for one setting, the first one named wins. Dots in a file key stand for nesting.",
  ].map((text) => wrap(text, { width, indent: 2 }));
}
