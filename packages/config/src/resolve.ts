import type { ReadFile } from "./bounded-file.ts";
import type { FileValue } from "./config-file.ts";
import {
  namesOf,
  type Declaration,
  type DeclaredSetting,
  type ConfigOf,
  type Settings,
} from "./declare-settings.ts";
import { isEmpty, readEnvironment, warnAboutLosers, type Environment } from "./environment.ts";
import type { Fault } from "./fault.ts";
import { readWritten, type ReadAgain, type Written } from "./kind.ts";
import { quote } from "./quote.ts";

/** One setting as it came out: where from, and printable. */
export interface EffectiveSetting {
  readonly name: string;
  readonly flag?: string;
  readonly env: readonly string[];
  readonly key?: string;
  /** For people: secrets and credentials hidden, `(none)` without a value. */
  readonly value: string;
  /** `flag --x`, `X_FILE (/run/secrets/x)`, `X`, `config.yml: x, line 3` or `default`. */
  readonly source: string;
}

/** Everything a value can come from. */
export interface Sources {
  readonly flags: ReadonlyMap<string, Written>;
  readonly env: Environment;
  readonly file: ReadonlyMap<string, FileValue>;
  /** False where the config file could not be read: then no setting counts as missing. */
  readonly fileUnderstood: boolean;
  readonly readFile: ReadFile;
}

export interface Resolution {
  /** By the setting's name; settings with a fault are missing. */
  readonly values: ReadonlyMap<string, unknown>;
  readonly effective: readonly EffectiveSetting[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly string[];
}

/** Takes the value of each setting from the first source that has one: flag, `_FILE`, variable, file, default. */
export async function resolveSettings(
  declared: readonly DeclaredSetting[],
  sources: Sources,
): Promise<Resolution> {
  const resolved = await Promise.all(declared.map((setting) => resolveSetting(setting, sources)));
  return {
    values: new Map(
      resolved.flatMap(({ name, result }) => ("value" in result ? [[name, result.value] as const] : [])),
    ),
    effective: resolved.map(({ effective }) => effective),
    faults: resolved.flatMap(({ result }) => ("fault" in result ? [result.fault] : [])),
    warnings: resolved.flatMap(({ warnings }) => warnings),
  };
}

/** The value that wins, still as it was written, or why it could not be had. */
type Pick = { readonly source: string } & (
  | { readonly written: Written; readonly hidden?: boolean; readonly readAgain?: ReadAgain | undefined }
  | { readonly problem: string; readonly right?: string }
);

interface Picked {
  readonly pick: Pick | undefined;
  readonly warnings: readonly string[];
}

async function resolveSetting(setting: DeclaredSetting, sources: Sources) {
  const { pick, warnings } = await pickValue(setting, sources);
  const result = pick ? evaluate(setting, pick) : fallBack(setting, sources);
  const source = pick?.source ?? "default";
  return { name: setting.name, result, warnings, effective: describe(setting, { source, result }) };
}

async function pickValue(setting: DeclaredSetting, { flags, env, file, readFile }: Sources): Promise<Picked> {
  const flag = flags.get(setting.name);
  if (flag !== undefined && counts(setting, flag)) {
    return { pick: { written: flag, source: `flag ${setting.flag}` }, warnings: [] };
  }
  const { found, warnings } = await readEnvironment(setting, env, readFile);
  const [winner] = found;
  if (winner) {
    const pick: Pick = winner.ok
      ? // A variable may name the wrong file, and that one may hold a secret.
        {
          written: winner.text,
          source: winner.source,
          hidden: winner.source !== winner.variable,
          readAgain: winner.readAgain,
        }
      : {
          problem: winner.problem,
          source: winner.source,
          right: `a file that holds ${setting.kind.expected}`,
        };
    return { pick, warnings: [...warnings, ...warnAboutLosers(setting, found)] };
  }
  const inFile = file.get(setting.name);
  const isSet = inFile !== undefined && (!("written" in inFile) || counts(setting, inFile.written));
  return { pick: isSet ? inFile : undefined, warnings };
}

/** Whether what was written counts as set. An empty YAML list does: nobody writes `[]` by accident. */
function counts({ emptyIsValue, kind }: DeclaredSetting, written: Written): boolean {
  const texts = [written].flat();
  return emptyIsValue || texts.length === 0 || texts.some((text) => !isEmpty(kind, text));
}

type Result = { readonly value: unknown } | { readonly fault: Fault };

function evaluate(setting: DeclaredSetting, pick: Pick): Result {
  const { kind } = setting;
  const fault = (wrong: string, right: string = kind.expected): Result => ({
    fault: { subject: namesOf(setting), from: pick.source, wrong, right },
  });
  if ("problem" in pick) return fault(pick.problem, pick.right);
  const { written, readAgain } = pick;
  if (typeof written === "string" && isEmpty(kind, written) && kind.empty !== undefined)
    return { value: kind.empty };
  const reading = readWritten(kind, written, readAgain);
  if (reading.ok) return { value: reading.value };
  const hidden = kind.secret === true || pick.hidden === true;
  return fault(`${hidden ? "the value" : quote([written].flat().join(","))} ${reading.problem}`);
}

function fallBack(setting: DeclaredSetting, { env, fileUnderstood }: Sources): Result {
  if (!setting.required || !fileUnderstood) return { value: setting.default?.value };
  const empty = setting.env.filter((variable) => env[variable] !== undefined);
  return {
    fault: {
      subject: namesOf(setting),
      from: empty.length === 0 ? "not set anywhere" : empty.join(", "),
      wrong: empty.length === 0 ? "it is required" : "it is required, but empty",
      right: setting.kind.expected,
    },
  };
}

function describe(
  setting: DeclaredSetting,
  { source, result }: { readonly source: string; readonly result: Result },
): EffectiveSetting {
  const { name, flag, env, keys, kind } = setting;
  const value =
    "fault" in result
      ? "(wrong)"
      : result.value === undefined
        ? `(${setting.defaultText ?? "none"})`
        : kind.print(result.value);
  return { name, ...(flag && { flag }), env, ...(keys[0] && { key: keys[0] }), value, source };
}

/** The values as the object that the declaration promises. */
export function configOf<D extends Declaration>(
  _settings: Settings<D>,
  values: ReadonlyMap<string, unknown>,
): ConfigOf<Settings<D>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each kind vouches for the type of its values
  return Object.fromEntries(values) as ConfigOf<Settings<D>>;
}

/** The faults of the rules between settings. A rule is left out while a setting that it reads has a fault. */
export function checkRules<D extends Declaration>(
  settings: Settings<D>,
  { values, effective }: Resolution,
  command: string | undefined,
): Fault[] {
  return settings.rules.flatMap((rule) => {
    const names: readonly string[] = rule.of;
    if (!names.every((name) => values.has(name))) return [];
    const verdict = rule.check(
      configOf(settings, new Map(names.map((name) => [name, values.get(name)]))),
      command,
    );
    if (!verdict) return [];
    const among = <T extends { readonly name: string }>(all: readonly T[]): T[] =>
      all.filter(({ name }) => names.includes(name));
    const subject = among(settings.declared).map(namesOf).join(" and ");
    const sources = among(effective).map(({ name, source }) =>
      values.get(name) === undefined ? "not set" : source,
    );
    const from = [...new Set(sources)].join(" and ");
    return [{ subject, from, ...verdict }];
  });
}
