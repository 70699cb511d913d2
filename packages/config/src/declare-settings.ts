import { checkValue, readWritten, type Kind } from "./kind.ts";
import type { Setting } from "./setting.ts";

export type Declaration = Readonly<Record<string, Setting<unknown>>>;

/** One setting with all its names. */
export interface DeclaredSetting {
  readonly name: string;
  readonly kind: Kind<unknown>;
  readonly flag: string | undefined;
  readonly env: readonly string[];
  readonly keys: readonly string[];
  readonly about: string;
  readonly group: string;
  readonly emptyIsValue: boolean;
  readonly required: boolean;
  readonly hidden: boolean;
  /** Undefined: there is none. */
  readonly default: { readonly value: unknown } | undefined;
  readonly defaultText: string | undefined;
}

/** The settings of one program, checked against each other. */
export interface Settings<D extends Declaration> {
  readonly declaration: D;
  readonly declared: readonly DeclaredSetting[];
  readonly rules: readonly Rule<ConfigOfDeclaration<D>>[];
}

type ConfigOfDeclaration<D> = {
  readonly [Name in keyof D]: D[Name] extends Setting<infer V> ? V : never;
};

/** The values of some settings: `ConfigOf<typeof settings>`. */
export type ConfigOf<S> = S extends Settings<infer D> ? ConfigOfDeclaration<D> : never;

/** What several settings must satisfy together, looked at once each of them is right by itself. */
export interface Rule<Config> {
  /** The settings the rule reads. */
  readonly of: readonly (keyof Config & string)[];
  /** Undefined where all is well. Neither text may show a secret. */
  check(
    config: Config,
    command: string | undefined,
  ): { readonly wrong: string; readonly right: string } | undefined;
}

/** A declaration that contradicts itself; thrown while the program starts, whatever the user gave. */
export class DeclarationError extends Error {
  override readonly name = "DeclarationError";
}

/**
 * Declares the settings of a program.
 * @throws {DeclarationError} two settings share a name, `X` and `X_FILE` are both variables of settings, a
 *   default is not valid, or a key is also the section of another key.
 */
export function declareSettings<const D extends Declaration>(
  declaration: D,
  rules: readonly Rule<ConfigOfDeclaration<D>>[] = [],
): Settings<D> {
  const declared = Object.entries(declaration).map(([name, setting]) => nameSetting(name, setting));
  refuseOddNames(declared);
  refuseSharedNames(declared);
  refuseFileVariants(declared);
  refuseKeysAsSections(declared);
  return { declaration, declared, rules };
}

function nameSetting(name: string, { kind, options }: Setting<unknown>): DeclaredSetting {
  const flag = options.flag ?? (kind.secret ? false : flagOf(name));
  const key = options.key ?? separate(name, "_");
  return {
    name,
    kind,
    flag: flag === false ? undefined : flag,
    env: [...new Set(options.env)],
    keys: key === false ? [] : [key].flat(),
    about: options.about,
    group: options.group ?? "Settings",
    emptyIsValue: options.emptyIs === "value",
    required: options.required ?? false,
    hidden: options.hidden ?? false,
    default: options.default === undefined ? undefined : { value: defaultValue(name, kind, options.default) },
    defaultText: options.defaultText,
  };
}

const separate = (name: string, by: string): string =>
  name.replace(/[A-Z]+/g, (capitals) => `${by}${capitals.toLowerCase()}`);

function defaultValue(name: string, kind: Kind<unknown>, value: unknown): unknown {
  if (value === "" && kind.empty !== undefined) return kind.empty;
  const reading = typeof value === "string" ? readWritten(kind, value) : checkValue(kind, value);
  if (!reading.ok) throw new DeclarationError(`the default of ${name} ${reading.problem}`);
  return reading.value;
}

function refuseOddNames(declared: readonly DeclaredSetting[]): void {
  for (const { name, flag = "--fine", env } of declared) {
    if (!/^--[a-z][a-z\d-]*$/.test(flag))
      throw new DeclarationError(`${flag} of ${name} is no flag like --some-words`);
    const odd = env.find((variable) => !/^[A-Za-z_]\w*$/.test(variable));
    if (odd !== undefined) throw new DeclarationError(`${odd} of ${name} cannot be a variable`);
  }
}

/** Flags that every program has. */
export const reservedFlags: readonly string[] = ["--help", "--version", "--print-config"];

function refuseSharedNames(declared: readonly DeclaredSetting[]): void {
  const owners = new Map<string, string>(reservedFlags.map((flag) => [flag, "every program"]));
  for (const { name, flag, env, keys, kind } of declared) {
    const flags = flag === undefined ? [] : kind.toggle ? [flag, negated(flag)] : [flag];
    for (const used of [
      ...flags,
      ...env.map((variable) => `$${variable}`),
      ...keys.map((key) => `key ${key}`),
    ]) {
      const owner = owners.get(used);
      if (owner !== undefined)
        throw new DeclarationError(`${used} is declared twice: by ${owner} and by ${name}`);
      owners.set(used, name);
    }
  }
}

/** The flag that turns a toggle off. */
export const negated = (flag: string): string => flag.replace(/^--/, "--no-");

function refuseFileVariants(declared: readonly DeclaredSetting[]): void {
  const owners = new Map(
    declared.flatMap(({ name, env }) => env.map((variable) => [variable, name] as const)),
  );
  for (const [variable, name] of owners) {
    const other = owners.get(`${variable}_FILE`);
    if (other === undefined) continue;
    throw new DeclarationError(
      `${variable} (${name}) and ${variable}_FILE (${other}) cannot both be settings: ` +
        `${variable}_FILE would also name a file to read ${variable} from`,
    );
  }
}

function refuseKeysAsSections(declared: readonly DeclaredSetting[]): void {
  const keys = declared.flatMap((setting) => setting.keys);
  for (const key of keys) {
    const inner = keys.find((other) => other.startsWith(`${key}.`));
    if (inner !== undefined) throw new DeclarationError(`key ${key} is also the section of key ${inner}`);
  }
}

/** The names of a setting as a person knows them: `--port (PORT, APP_PORT)`. */
export function namesOf({ flag, env, keys, name }: DeclaredSetting): string {
  const [first = name, ...others] = [flag, ...env, ...(env.length === 0 ? keys : [])].filter(
    (used) => used !== undefined,
  );
  return others.length === 0 ? first : `${first} (${others.join(", ")})`;
}

/** The flag that a setting has unless it names another: `syncInterval` → `--sync-interval`. */
export function flagOf(name: string): `--${string}` {
  return `--${separate(name, "-")}`;
}
