import { Command, CommanderError, Option } from "commander";
import { flagOf, negated, reservedFlags, type DeclaredSetting } from "./declare-settings.ts";
import type { Fault } from "./fault.ts";
import { readWritten, type Written } from "./kind.ts";
import { nearest } from "./nearest.ts";
import type { CommandWord } from "./program.ts";
import { quote } from "./quote.ts";

/** What the arguments of a program may be. */
export interface Grammar {
  readonly declared: readonly DeclaredSetting[];
  readonly commands: readonly CommandWord[];
  readonly ignoredWords: readonly string[];
  readonly configFlag: string;
}

export interface Arguments {
  readonly wants: "help" | "version" | "printConfig" | undefined;
  readonly command: string | undefined;
  /** The command's own flags that were given. */
  readonly switches: readonly string[];
  readonly configFile: string | undefined;
  /** By the setting's name. */
  readonly flags: ReadonlyMap<string, Written>;
  readonly faults: readonly Fault[];
}

/** Reads the arguments after the program's name. Flags may stand before and after the command. */
export function readArguments(argv: readonly string[], grammar: Grammar): Arguments {
  const { args, faults } = spellOutToggles(argv, grammar.declared);
  const seen = new Map<string, Written>();
  const { operands, unknown, incomplete } = parse(parserOf(grammar, seen), args);
  const words = readWords(operands, grammar);
  const given = switchesOf(grammar.commands).filter((flag) => seen.has(flag));
  const own = switchesOf(grammar.commands.filter(({ name }) => name === words.command));
  const configFile = seen.get(grammar.configFlag);
  return {
    wants: wanted(seen, words.command),
    command: words.command,
    switches: given.filter((flag) => own.includes(flag)),
    configFile: typeof configFile === "string" ? configFile : undefined,
    flags: new Map(
      grammar.declared.flatMap(({ name, flag }) => entry(name, flag === undefined ? flag : seen.get(flag))),
    ),
    faults: [
      ...faults,
      ...incomplete.map((flag) => incompleteFlag(flag, grammar.declared)),
      ...unknown.map((flag) => unknownFlag(flag, grammar)),
      ...given.filter((flag) => !own.includes(flag)).map((flag) => misplacedSwitch(flag, grammar)),
      ...words.faults,
    ],
  };
}

const entry = (name: string, written: Written | undefined) =>
  written === undefined ? [] : [[name, written] as const];

const switchesOf = (commands: readonly CommandWord[]): string[] => [
  ...new Set(commands.flatMap(({ switches = [] }) => switches)),
];

/** A parser that notes each flag with its value in `seen`. */
function parserOf({ declared, configFlag, commands }: Grammar, seen: Map<string, Written>): Command {
  const parser = new Command()
    .exitOverride()
    .configureOutput({ writeErr() {}, writeOut() {} })
    .helpOption(false);
  const add = (flags: string, note: (value: string) => void): void => {
    const option = new Option(flags);
    parser.addOption(option).on(`option:${option.name()}`, note);
  };
  add("-h, --help", () => seen.set("--help", "true"));
  add("-V, --version", () => seen.set("--version", "true"));
  add("--print-config", () => seen.set("--print-config", "true"));
  add(`${configFlag} <path>`, (value) => seen.set(configFlag, value));
  for (const flag of switchesOf(commands)) add(flag, () => seen.set(flag, "true"));
  for (const { flag, kind } of declared) {
    if (flag === undefined) continue;
    if (kind.toggle) {
      add(flag, () => seen.set(flag, "true"));
      add(negated(flag), () => seen.set(flag, "false"));
    } else if (kind.combine) {
      add(`${flag} <value>`, (value) => seen.set(flag, [seen.get(flag) ?? [], value.split(",")].flat(2)));
    } else add(`${flag} <value>`, (value) => seen.set(flag, value));
  }
  return parser;
}

/** Go programs are told `--toggle=false`, which commander does not know. */
function spellOutToggles(argv: readonly string[], declared: readonly DeclaredSetting[]) {
  const faults: Fault[] = [];
  const args = argv.flatMap((arg) => {
    const [, flag, text = ""] = /^(--[^=]+)=(.*)$/s.exec(arg) ?? [];
    const kind = declared.find((setting) => setting.flag === flag)?.kind;
    if (flag === undefined || !kind?.toggle) return arg;
    const reading = readWritten(kind, text);
    if (reading.ok) return reading.value === true ? flag : negated(flag);
    const wrong = `${quote(text)} ${reading.problem}`;
    faults.push({ subject: flag, from: `flag ${flag}`, wrong, right: kind.expected });
    return [];
  });
  return { args, faults };
}

interface Parsed {
  readonly operands: readonly string[];
  readonly unknown: readonly string[];
  /** Flags that lack their value. */
  readonly incomplete: readonly string[];
}

function parse(parser: Command, args: readonly string[]): Parsed {
  try {
    const { operands, unknown } = parser.parseOptions([...args]);
    return {
      operands: [...operands, ...unknown.filter(isOperand)],
      unknown: unknown.filter((arg) => isFlag(arg)),
      incomplete: [],
    };
  } catch (error) {
    // A flag that lacks its value can only be the last argument: without it the others can be read.
    const last = args.at(-1);
    if (!(error instanceof CommanderError) || last === undefined) throw error;
    return { ...parse(parser, args.slice(0, -1)), incomplete: [last] };
  }
}

const isFlag = (arg: string | undefined): boolean => /^-./.test(arg ?? "");

/** After an unknown flag commander takes all words for unknown; the first of them may be meant as its value. */
function isOperand(arg: string, at: number, unknown: readonly string[]): boolean {
  const before = unknown[at - 1];
  return !isFlag(arg) && (!isFlag(before) || before?.includes("=") === true);
}

function wanted(seen: ReadonlyMap<string, Written>, command: string | undefined): Arguments["wants"] {
  if (command === "help" || seen.has("--help")) return "help";
  if (seen.has("--version")) return "version";
  return seen.has("--print-config") ? "printConfig" : undefined;
}

function readWords(operands: readonly string[], { commands, ignoredWords }: Grammar) {
  const [command, ...excess] = operands.filter((word) => !ignoredWords.includes(word));
  const faults: Fault[] = excess.map((word) => ({
    subject: quote(word),
    from: "command line",
    wrong: "one word too many",
    right: commands.length === 0 ? "only flags" : "at most one command",
  }));
  const names = commands.map(({ name }) => name);
  const known = command === undefined || command === "help" || names.includes(command);
  return { command, faults: known ? faults : [unknownWord(command, names), ...faults] };
}

function unknownWord(word: string, commands: readonly string[]): Fault {
  const similar = nearest(word, commands);
  const known = commands.length === 0 ? "only flags" : `one of ${commands.join(", ")}`;
  const right = similar === undefined ? known : `did you mean ${similar}?`;
  return { subject: quote(word), from: "command line", wrong: "there is no such command", right };
}

function unknownFlag(arg: string, { declared, configFlag }: Grammar): Fault {
  // What follows `=` may be a secret.
  const flag = arg.replace(/=.*$/s, "");
  const secret = declared.find(({ name, kind, flag: own }) => {
    return kind.secret === true && own === undefined && flag === flagOf(name);
  });
  if (secret !== undefined) {
    const right = `${secret.env.join(" or ")} or its _FILE variant: everybody on this machine can read arguments`;
    return { subject: flag, from: "command line", wrong: "a secret has no flag", right };
  }
  const similar = nearest(flag, [
    ...reservedFlags,
    configFlag,
    ...declared.flatMap((setting) => setting.flag ?? []),
  ]);
  const right = similar === undefined ? "a flag that --help names" : `did you mean ${similar}?`;
  return { subject: flag, from: "command line", wrong: "there is no such flag", right };
}

function misplacedSwitch(flag: string, { commands }: Grammar): Fault {
  const names = commands.filter(({ switches = [] }) => switches.some((own) => own === flag));
  const right = `it belongs to the command ${names.map(({ name }) => name).join(" or ")}`;
  return { subject: flag, from: "command line", wrong: "without its command it means nothing", right };
}

function incompleteFlag(flag: string, declared: readonly DeclaredSetting[]): Fault {
  const right = declared.find((setting) => setting.flag === flag)?.kind.expected ?? "a value";
  return {
    subject: flag,
    from: "command line",
    wrong: "its value is missing",
    right: `${flag} with ${right}`,
  };
}
