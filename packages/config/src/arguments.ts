import { Command, CommanderError, Option } from "commander";
import { negated, reservedFlags, type DeclaredSetting } from "./declare-settings.ts";
import type { Fault } from "./fault.ts";
import { readWritten, type Written } from "./kind.ts";
import { nearest } from "./nearest.ts";
import { quote } from "./quote.ts";

export interface Grammar {
  readonly declared: readonly DeclaredSetting[];
  readonly commands: readonly string[];
  readonly ignoredWords: readonly string[];
  readonly configFlag: string;
}

export interface Arguments {
  readonly wants: "help" | "version" | "printConfig" | undefined;
  readonly command: string | undefined;
  readonly configFile: string | undefined;
  /** By the setting's name. */
  readonly flags: ReadonlyMap<string, Written>;
  readonly faults: readonly Fault[];
}

/** Reads the arguments after the program's name. Flags may stand before and after the command. */
export function readArguments(argv: readonly string[], grammar: Grammar): Arguments {
  const { args, faults } = spellOutToggles(argv, grammar.declared);
  const parser = parserOf(grammar);
  const { operands, unknown, incomplete } = parse(parser, args);
  const opts: Record<string, unknown> = parser.opts();
  const words = readWords(operands, grammar);
  const valueOf = (flag: string): unknown => opts[new Option(`${flag} <value>`).attributeName()];
  return {
    wants: wanted(opts, words.help),
    command: words.command,
    configFile: valueOf(grammar.configFlag) as string | undefined,
    flags: new Map(grammar.declared.flatMap((setting) => flagValue(setting, valueOf))),
    faults: [...faults, ...incomplete, ...unknown.map((flag) => unknownFlag(flag, grammar)), ...words.faults],
  };
}

function parserOf({ declared, configFlag }: Grammar): Command {
  const parser = new Command()
    .exitOverride()
    .configureOutput({ writeErr() {}, writeOut() {} })
    .helpOption(false);
  for (const option of [
    new Option("-h, --help"),
    new Option("-V, --version"),
    new Option("--print-config"),
  ]) {
    parser.addOption(option);
  }
  parser.addOption(new Option(`${configFlag} <path>`));
  for (const { flag, kind } of declared) {
    if (flag === undefined) continue;
    if (!kind.toggle) parser.addOption(kind.combine ? repeatable(flag) : new Option(`${flag} <value>`));
    else parser.addOption(new Option(flag)).addOption(new Option(negated(flag)));
  }
  return parser;
}

function repeatable(flag: string): Option {
  const collect = (value: string, previous: readonly string[] | undefined): string[] => [
    ...(previous ?? []),
    ...value.split(","),
  ];
  return new Option(`${flag} <value>`).argParser(collect as never);
}

/** Commander knows no `--toggle=false`, which is how Go programs are told. */
function spellOutToggles(argv: readonly string[], declared: readonly DeclaredSetting[]) {
  const toggles = new Map(
    declared.flatMap((one) => (one.flag && one.kind.toggle ? [[one.flag, one.kind] as const] : [])),
  );
  const faults: Fault[] = [];
  const args = argv.flatMap((arg) => {
    const [, flag = "", text = ""] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
    const kind = toggles.get(flag);
    if (!kind) return arg;
    const reading = readWritten(kind, text);
    if (reading.ok) return reading.value === true ? flag : negated(flag);
    faults.push({
      subject: flag,
      from: `flag ${flag}`,
      wrong: `${quote(text)} ${reading.problem}`,
      right: kind.expected,
    });
    return [];
  });
  return { args, faults };
}

function parse(parser: Command, args: string[]) {
  try {
    const { operands, unknown } = parser.parseOptions(args);
    return { operands, unknown: unknown.filter((arg) => /^-./.test(arg)), incomplete: [] };
  } catch (error) {
    // A flag that lacks its value can only be the last argument: without it the others can be read.
    const flag = args.at(-1);
    if (!(error instanceof CommanderError) || flag === undefined) throw error;
    const rest = parse(parser, args.slice(0, -1));
    const fault: Fault = {
      subject: flag,
      from: "command line",
      wrong: "its value is missing",
      right: `${flag} <value>`,
    };
    return { ...rest, incomplete: [fault] };
  }
}

function flagValue({ name, flag }: DeclaredSetting, valueOf: (flag: string) => unknown): [string, Written][] {
  const value = flag === undefined ? undefined : valueOf(flag);
  if (value === undefined) return [];
  return [[name, typeof value === "boolean" ? String(value) : (value as Written)]];
}

function wanted(opts: Record<string, unknown>, help: boolean): Arguments["wants"] {
  if (help || opts["help"] === true) return "help";
  if (opts["version"] === true) return "version";
  return opts["printConfig"] === true ? "printConfig" : undefined;
}

function readWords(operands: readonly string[], { commands, ignoredWords }: Grammar) {
  const words = operands.filter((word) => !ignoredWords.includes(word) || commands.includes(word));
  const [command, ...excess] = words;
  const faults: Fault[] = [];
  if (command !== undefined && command !== "help" && !commands.includes(command))
    faults.push(unknownWord(command, commands));
  for (const word of excess) {
    faults.push({
      subject: quote(word),
      from: "command line",
      wrong: "one word too many",
      right: "at most one command",
    });
  }
  return { command, help: command === "help", faults };
}

function unknownWord(word: string, commands: readonly string[]): Fault {
  const similar = nearest(word, commands);
  const known = commands.length === 0 ? "no command, only flags" : `one of ${commands.join(", ")}`;
  return {
    subject: quote(word),
    from: "command line",
    wrong: "there is no such command",
    right: similar === undefined ? known : `did you mean ${similar}?`,
  };
}

function unknownFlag(arg: string, { declared, configFlag }: Grammar): Fault {
  // What follows `=` may be a secret.
  const flag = arg.replace(/=.*$/s, "");
  const known = [...reservedFlags, configFlag, ...declared.flatMap((setting) => setting.flag ?? [])];
  const similar = nearest(flag, known);
  return {
    subject: flag,
    from: "command line",
    wrong: "there is no such flag",
    right: similar === undefined ? "a flag that --help names" : `did you mean ${similar}?`,
  };
}
