import type { Address } from "./address.ts";
import { parseDuration, type DurationUnit } from "./duration.ts";
import type { Kind } from "./kind.ts";
import {
  addressKind,
  choiceKind,
  durationKind,
  integerKind,
  listKind,
  logLevelKind,
  pathKind,
  portKind,
  secretKind,
  sizeKind,
  textKind,
  toggleKind,
  urlKind,
  type LogLevel,
} from "./kinds.ts";
import type { Secret } from "./secret.ts";
import { parseSize, type SizeUnit } from "./size.ts";

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

/** With a default, or required, a setting always has a value. Defaults may be written as a user would: "10s". */
type Present<V> =
  | { readonly default: V | string; readonly required?: undefined }
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

interface MakeSetting<V, Extra> {
  (options: SettingOptions & Extra & Present<V>): Setting<V>;
  (options: SettingOptions & Extra & Absent): Setting<V | undefined>;
}

type AnyOptions<Extra> = Setting<unknown>["options"] & Extra;

function maker<V, Extra = unknown>(kindOf: (options: AnyOptions<Extra>) => Kind<V>): MakeSetting<V, Extra> {
  return (options: AnyOptions<Extra>): Setting<V> => ({ kind: kindOf(options) as Kind<unknown>, options });
}

/** A limit is written in the unit of the value or as a user would write it. */
type Limit = number | string | undefined;
interface LimitOptions<L extends Limit = number | undefined> {
  readonly min?: L;
  readonly max?: L;
}

function limitsOf(options: LimitOptions<Limit>, parse: (text: string) => number) {
  const read = (limit: Limit): number | undefined => (typeof limit === "string" ? parse(limit) : limit);
  return { min: read(options.min), max: read(options.max) };
}

function valueOrThrow(reading: ReturnType<typeof parseDuration>): number {
  if (!reading.ok) throw new TypeError(`a limit ${reading.problem}`);
  return reading.value;
}

/** Makers of settings, one for each kind of value. */
export const setting = {
  /** Any text, kept as it is; `pattern.means` completes "is not …". */
  text: maker<
    string,
    EmptyOption & { readonly pattern?: { readonly regex: RegExp; readonly means: string } }
  >(({ pattern }) => textKind(pattern)),
  /** A {@link Secret}. */
  secret: maker<Secret, EmptyOption>(secretKind),
  /** A path, kept as it is; nothing is looked up on the disk. */
  path: maker<string, EmptyOption>(pathKind),
  /** A boolean; its flag is also understood as `--no-…` and `--…=false`. */
  toggle: maker<boolean>(toggleKind),
  integer: maker<number, LimitOptions>(integerKind),
  /** A port to listen on or to set: 1 to 65535. */
  port: maker<number>(portKind),
  /** Milliseconds. `unit` is the unit of a bare number that a user writes; a number as default or limit is in ms. */
  duration: maker<number, LimitOptions<Limit> & { readonly unit: DurationUnit }>((options) =>
    durationKind(
      options.unit,
      limitsOf(options, (text) => valueOrThrow(parseDuration(text, options.unit))),
    ),
  ),
  /** Bytes. `unit` is the unit of a bare number that a user writes; a number as default or limit is in bytes. */
  size: maker<number, LimitOptions<Limit> & { readonly unit: SizeUnit }>((options) =>
    sizeKind(
      options.unit,
      limitsOf(options, (text) => valueOrThrow(parseSize(text, options.unit))),
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
  choice<const T extends string, O extends SettingOptions & (Present<NoInfer<T>> | Absent)>(
    options: O & { readonly values: readonly T[] },
  ): Setting<O extends Present<NoInfer<T>> ? T : T | undefined> {
    return { kind: choiceKind(options.values) as Kind<unknown>, options };
  },
  /** A level of pino in any case; WARNING is `warn`, CRITICAL is `fatal`. */
  logLevel: maker<LogLevel>(logLevelKind),
  /** Texts, separated by commas; a YAML sequence in the config file; its flag may be repeated. */
  list: maker<readonly string[], EmptyOption>(listKind),
};
