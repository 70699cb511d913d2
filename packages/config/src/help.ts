import { Help } from "commander";
import type { Declaration, DeclaredSetting } from "./declare-settings.ts";
import { configFileNames } from "./given-config-file.ts";
import type { Program } from "./program.ts";

/** The text of `--help`: one block for each setting, under its group's heading, with all its names. */
export function renderHelp<D extends Declaration>(program: Program<D>, columns = 80): string {
  const width = Math.min(100, Math.max(60, columns));
  const { name, version, about, commands = [], settings, examples = [] } = program;
  const shown = settings.declared.filter(({ hidden }) => !hidden);
  const sections = [
    `${name} ${version}\n${wrap(about, { width, indent: 0 })}`,
    `Usage: ${name} [flags]${commands.length === 0 ? "" : " [command]"}`,
    section(
      "Commands",
      commands.map(({ name: word, switches = [], about: does }) =>
        block([word, ...switches.map((flag) => `[${flag}]`)].join(" "), [wrap(does, { width, indent: 6 })]),
      ),
    ),
    ...[...Map.groupBy(shown, ({ group }) => group)].map(([group, members]) =>
      section(
        group,
        members.map((setting) => settingBlock(setting, width)),
      ),
    ),
    section("Every program", everyProgram(program, width)),
    section(
      "Examples",
      examples.map((example) => `  ${example}`),
    ),
    section("How values are found", [wrap(precedence, { width, indent: 2 })]),
  ];
  return `${sections.filter((text) => text !== "").join("\n\n")}\n`;
}

const precedence = [
  "A flag wins over VARIABLE_FILE, that over VARIABLE, that over the config file, that over the default.",
  "Every variable also exists as VARIABLE_FILE: the path of a small file that holds the value, for secrets.",
  "Of several variables for one setting, the first one named wins. Dots in a file key stand for nesting.",
].join("\n");

const section = (heading: string, items: readonly string[]): string =>
  items.length === 0 ? "" : `${heading}:\n${items.join("\n")}`;

const block = (term: string, paragraphs: readonly string[]): string =>
  [`  ${term}`, ...paragraphs].join("\n");

interface Shape {
  readonly width: number;
  readonly indent: number;
}

const wrap = (text: string, { width, indent }: Shape): string =>
  new Help().boxWrap(text, width - indent).replace(/^/gm, " ".repeat(indent));

/** Lines of facts, broken only between facts so that a name or a default can be copied. */
function wrapFacts(facts: readonly string[], { width, indent }: Shape): string {
  const lines: string[] = [];
  for (const fact of facts) {
    const longer = `${lines.at(-1)} | ${fact}`;
    if (lines.length > 0 && longer.length <= width - indent) lines[lines.length - 1] = longer;
    else lines.push(fact);
  }
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}

function settingBlock(setting: DeclaredSetting, width: number): string {
  const { flag, env, keys, kind } = setting;
  const names = [...env, ...(keys[0] === undefined ? [] : [`file key: ${keys[0]}`])];
  const [first = setting.name, ...others] = names;
  const term = kind.toggle ? flag?.replace(/^--/, "--[no-]") : flag && `${flag} <${kind.placeholder}>`;
  const facts = [...(term === undefined ? others : names), defaultFact(setting)];
  const shape = { width, indent: 6 };
  return block(term ?? first, [wrap(aboutOf(setting), shape), wrapFacts(facts, shape)]);
}

/** The meaning and how a value is written, as one sentence. */
export function aboutOf({ about, kind }: DeclaredSetting): string {
  return kind.hint === undefined ? about : `${about.replace(/\.$/, "")} (${kind.hint}).`;
}

function defaultFact(setting: DeclaredSetting): string {
  const text = defaultTextOf(setting);
  // What an app requires by a check of its own says so in place of its default.
  if (text !== undefined) return text === "required" ? text : `default: ${text}`;
  return setting.required ? "required" : "optional";
}

/** The default as a person would write it, or undefined without one. */
export function defaultTextOf({ default: fallback, defaultText, kind }: DeclaredSetting): string | undefined {
  return defaultText ?? (fallback && kind.print(fallback.value));
}

function everyProgram<D extends Declaration>(program: Program<D>, width: number): string[] {
  const { flag, env } = configFileNames(program);
  const place = program.configFile?.default;
  const shape = { width, indent: 6 };
  const facts = wrapFacts([...env, ...(typeof place === "string" ? [`default: ${place}`] : [])], shape);
  const printConfig = "Print the effective settings and where each came from, secrets hidden.";
  return [
    block(`${flag} <path>`, [wrap("YAML file with settings.", shape), facts]),
    block("--print-config", [wrap(printConfig, shape)]),
    "  -h, --help",
    "  -V, --version",
  ];
}
