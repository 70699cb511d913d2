import { addressKind, type Address } from "./address.ts";
import { parseDuration, type DurationUnit } from "./duration.ts";
import type { Kind, Reading } from "./kind.ts";
import { durationKind, integerKind, portKind, sizeKind } from "./number-kinds.ts";
import type { Secret } from "./secret.ts";
import { parseSize, type SizeUnit } from "./size.ts";
import { listKind, pathKind, secretKind, textKind, urlKind, type TextPattern } from "./text-kinds.ts";
import { choiceKind, logLevelKind, toggleKind, type LogLevel } from "./word-kinds.ts";

export type FlagName = `--${string}`;

/** What every setting says about itself, whatever its kind. */
export interface SettingOptions {
  /** Names of environment variables; the first that is set wins. Each has a `_FILE` variant. */
  readonly env?: readonly string[] | undefined;
  /** By default made of the setting's name (`syncInterval` → `--sync-interval`); secrets have none unless named. */
  readonly flag?: FlagName | false | undefined;
  /** Dotted key in the config file, by default made of the setting's name (`sync_interval`); several are aliases. */
  readonly key?: string | readonly string[] | false | undefined;
  /** The meaning in one sentence, for `--help`, READMEs and charts. */
  readonly about: string;
  /** Heading in `--help`; "Settings" by default. */
  readonly group?: string | undefined;
  /** Stands for the default where it is no constant: "same as --data". */
  readonly defaultText?: string | undefined;
  /** Works, but is left out of `--help`, the README table and the chart schema. */
  readonly hidden?: boolean | undefined;
}

/** Whether a set but empty variable, flag or key counts as not set (the usual) or as a value ("empty to disable"). */
export interface EmptyOption {
  readonly emptyIs?: "unset" | "value" | undefined;
}

/** With a default, or required, a setting always has a value. */
type Present<Default> =
  | { readonly default: Default; readonly required?: undefined }
  | { readonly required: true; readonly default?: undefined };
interface Absent {
  readonly default?: undefined;
  readonly required?: undefined;
}

/** One setting, before it is declared with the others of its program. `V` is the type of its value. */
export interface Setting<V> {
  readonly kind: Kind<unknown>;
  readonly options: SettingOptions &
    EmptyOption & { readonly default?: unknown; readonly required?: true | undefined };
  /** Never there; it carries the type. */
  readonly valueType?: V;
}

/** Defaults may be written as a user would: "10s", ":8080". */
interface MakeSetting<V, Extra> {
  (options: SettingOptions & Extra & Present<V | string>): Setting<V>;
  (options: SettingOptions & Extra & Absent): Setting<V | undefined>;
}

type AnyOptions<Extra> = Setting<unknown>["options"] & Extra;

function maker<V, Extra = unknown>(kindOf: (options: AnyOptions<Extra>) => Kind<V>): MakeSetting<V, Extra> {
  return (options: AnyOptions<Extra>): Setting<V> => ({ kind: kindOf(options), options });
}

/** A limit is in the unit of the value or written as a user would write it. */
interface LimitOptions {
  readonly min?: number | string;
  readonly max?: number | string;
}

function limitsOf({ min, max }: LimitOptions, parse: (text: string) => Reading<number>) {
  return { min: limitOf(min, parse), max: limitOf(max, parse) };
}

function limitOf(
  limit: number | string | undefined,
  parse: (text: string) => Reading<number>,
): number | undefined {
  if (typeof limit !== "string") return limit;
  const reading = parse(limit);
  if (!reading.ok) throw new TypeError(`the limit ${limit} ${reading.problem}`);
  return reading.value;
}

interface ChoiceOptions<T> extends SettingOptions {
  /** In the order of `--help`. */
  readonly values: readonly T[];
}

function choice<const T extends string>(options: ChoiceOptions<T> & Present<NoInfer<T>>): Setting<T>;
function choice<const T extends string>(options: ChoiceOptions<T> & Absent): Setting<T | undefined>;
function choice<T extends string>(options: ChoiceOptions<T> & (Present<T> | Absent)): Setting<T> {
  return { kind: choiceKind(options.values), options };
}

/** Makers of settings, one for each kind of value. */
export const setting = {
  /** Any text, kept as it is. */
  text: maker<string, EmptyOption & { readonly pattern?: TextPattern }>(({ pattern }) => textKind(pattern)),
  /** A {@link Secret}. */
  secret: maker<Secret, EmptyOption & { readonly pattern?: TextPattern }>(({ pattern }) =>
    secretKind(pattern),
  ),
  /** A path, kept as it is; nothing is looked up on the disk. */
  path: maker<string, EmptyOption>(pathKind),
  /** A boolean; its flag is also understood as `--no-…` and `--…=false`. */
  toggle: maker<boolean>(toggleKind),
  /** A whole number, with limits if given. */
  integer: maker<number, { readonly min?: number; readonly max?: number }>(integerKind),
  /** A port that is told to someone: 1 to 65535. Where to listen is an `address`. */
  port: maker<number>(portKind),
  /** Milliseconds. `unit` is the unit of a bare number that a user writes; numbers in the declaration are in ms. */
  duration: maker<number, LimitOptions & { readonly unit: DurationUnit }>(({ unit, ...options }) =>
    durationKind(
      unit,
      limitsOf(options, (text) => parseDuration(text, unit)),
    ),
  ),
  /** Bytes. `unit` is the unit of a bare number that a user writes; numbers in the declaration are in bytes. */
  size: maker<number, LimitOptions & { readonly unit: SizeUnit }>(({ unit, ...options }) =>
    sizeKind(
      unit,
      limitsOf(options, (text) => parseSize(text, unit)),
    ),
  ),
  /** A URL as a string without trailing slash, by default http or https; credentials in it are never printed. */
  url: maker<string, { readonly schemes?: readonly string[] }>(({ schemes = ["http", "https"] }) =>
    urlKind(schemes),
  ),
  /** An {@link Address}: `:8080`, `8080`, `0.0.0.0:8080`, `[::1]:80`. */
  address: maker<Address, { readonly hostRequired?: boolean }>(({ hostRequired = false }) =>
    addressKind(hostRequired),
  ),
  /** One of `values`, in any case. */
  choice,
  /** A level of pino in any case; WARNING is `warn`, CRITICAL is `fatal`. */
  logLevel: maker<LogLevel>(logLevelKind),
  /** Texts, separated by commas; a YAML sequence in the config file; its flag may be repeated. */
  list: maker<readonly string[], EmptyOption>(listKind),
};
