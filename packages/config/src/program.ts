import type { ReadFile } from "./bounded-file.ts";
import type { ConfigOf, Declaration, Settings } from "./declare-settings.ts";
import type { Environment } from "./environment.ts";
import type { EffectiveSetting } from "./resolve.ts";
import type { FlagName } from "./setting.ts";

/** How a program is told where its config file is. */
export interface ConfigFileOptions<D extends Declaration> {
  /** `--config-file` unless told otherwise. */
  readonly flag?: FlagName;
  /** `CONFIG_FILE` unless told otherwise. */
  readonly env?: readonly string[];
  /** Read if it is there. A function is given what the other sources say: the file may stand in a configured folder. */
  readonly default?: string | ((config: Partial<ConfigOf<Settings<D>>>) => string | undefined);
  /** Top-level keys that belong to other programs which share the file; they are left alone. */
  readonly otherKeys?: readonly string[];
}

/** A word that makes the program do something else. */
export interface CommandWord {
  readonly name: string;
  readonly about: string;
  /** Flags without a value that mean something to this command only: `--json`. */
  readonly switches?: readonly FlagName[] | undefined;
}

/** A program as its command line sees it. */
export interface Program<D extends Declaration> {
  readonly name: string;
  readonly version: string;
  /** What it does, in one sentence. */
  readonly about: string;
  readonly settings: Settings<D>;
  readonly commands?: readonly CommandWord[] | undefined;
  /** Words that may stand where a command does and mean nothing: Compose files say `command: source`. */
  readonly ignoredWords?: readonly string[] | undefined;
  /** Whole command lines, for `--help`. */
  readonly examples?: readonly string[] | undefined;
  readonly configFile?: ConfigFileOptions<D> | undefined;
}

/** What the process was given. */
export interface Input {
  /** The arguments after the program's name: `process.argv.slice(2)`. */
  readonly argv: readonly string[];
  readonly env: Environment;
  /** Width of the terminal, for `--help`; 80 unless told otherwise. */
  readonly columns?: number | undefined;
  readonly readFile?: ReadFile | undefined;
}

/** Either the program runs, or it prints something and ends. */
export type CommandLine<D extends Declaration> =
  | {
      readonly kind: "run";
      readonly command: string | undefined;
      /** Those of the command's own switches that were given. */
      readonly switches: readonly string[];
      readonly config: ConfigOf<Settings<D>>;
      readonly effective: readonly EffectiveSetting[];
      readonly warnings: readonly string[];
      /** The path of the config file, if one was read. */
      readonly configFile: string | undefined;
    }
  | { readonly kind: "exit"; readonly code: 0 | 2; readonly stdout: string; readonly stderr: string };
