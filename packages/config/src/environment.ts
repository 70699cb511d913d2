import type { FileReading, ReadFile } from "./bounded-file.ts";
import type { DeclaredSetting } from "./declare-settings.ts";
import { fileVariantOf } from "./file-variant.ts";
import { readWritten, type Kind, type ReadAgain } from "./kind.ts";
import { quote } from "./quote.ts";

/** A secret or a setting in a file of its own is short; what is larger is a mistake. */
const largestVariableFile = 64 * 1024;

export type Environment = Readonly<Record<string, string | undefined>>;

/** What one variable gives. */
export type Found =
  | {
      readonly ok: true;
      readonly variable: string;
      readonly source: string;
      readonly text: string;
      /** Only where the text came from a file. */
      readonly readAgain?: ReadAgain;
    }
  | { readonly ok: false; readonly variable: string; readonly source: string; readonly problem: string };

export interface EnvironmentReading {
  /** The first one wins. */
  readonly found: readonly Found[];
  readonly warnings: readonly string[];
}

/** Everything the environment says about one setting, in the order of precedence. */
export async function readEnvironment(
  setting: DeclaredSetting,
  env: Environment,
  readFile: ReadFile,
): Promise<EnvironmentReading> {
  const found: Found[] = [];
  const warnings: string[] = [];
  for (const variable of setting.env) {
    const fromFile = await readVariant(variable, env, readFile);
    if (fromFile) found.push(fromFile);
    const text = env[variable];
    if (text === undefined) continue;
    if (setting.kind.ignoresServiceLinks && serviceLink.test(text)) {
      warnings.push(
        `${variable} is ignored: ${quote(text)} is what Kubernetes sets for a Service of that name ` +
          "(enableServiceLinks: false in the pod turns that off)",
      );
    } else found.push({ ok: true, variable, source: variable, text });
  }
  return withoutEmpty(setting, { found, warnings });
}

const serviceLink = /^(tcp|udp|sctp):\/\//i;

async function readVariant(
  variable: string,
  env: Environment,
  readFile: ReadFile,
): Promise<Found | undefined> {
  const name = fileVariantOf(variable);
  const path = name === undefined ? undefined : env[name];
  if (name === undefined || path === undefined || path === "") return undefined;
  const source = `${name} (${path})`;
  const reading: FileReading = await readFile(path, largestVariableFile);
  if (!reading.ok) return { ok: false, variable: name, source, problem: `the file ${reading.problem}` };
  const readAgain = async () => {
    const now = await readFile(path, largestVariableFile);
    return now.ok ? withoutLineBreak(now.text) || undefined : undefined;
  };
  return { ok: true, variable: name, source, text: withoutLineBreak(reading.text), readAgain };
}

const withoutLineBreak = (text: string): string => text.replace(/\r?\n$/, "");

function withoutEmpty(setting: DeclaredSetting, { found, warnings }: EnvironmentReading): EnvironmentReading {
  if (setting.emptyIsValue) return { found, warnings };
  const emptyFiles = found.filter(
    (one) => one.ok && isEmpty(setting.kind, one.text) && one.source !== one.variable,
  );
  return {
    found: found.filter((one) => !one.ok || !isEmpty(setting.kind, one.text)),
    warnings: [...warnings, ...emptyFiles.map(({ source }) => `${source} is empty and counts as not set`)],
  };
}

/** Whether a text counts as empty for settings of a kind. */
export function isEmpty(kind: Kind<unknown>, text: string): boolean {
  return (kind.keepsBlanks ? text : text.trim()) === "";
}

/** Warns about variables that are set beside the one that wins: silent only for aliases with an equal value. */
export function warnAboutLosers(setting: DeclaredSetting, found: readonly Found[]): string[] {
  const [winner, ...losers] = found;
  if (!winner) return [];
  return losers.flatMap((loser) => {
    if (loser.variable === winner.variable.replace(/_FILE$/, "")) {
      return `${loser.variable} and ${winner.variable} are both set: ${winner.variable} wins`;
    }
    if (sameValue(setting.kind, winner, loser)) return [];
    return `${winner.variable} and ${loser.variable} are set to different values: ${winner.variable} wins`;
  });
}

function sameValue(kind: Kind<unknown>, one: Found, other: Found): boolean {
  if (!one.ok || !other.ok) return false;
  if (one.text === other.text) return true;
  if (kind.secret) return false;
  const [a, b] = [readWritten(kind, one.text), readWritten(kind, other.text)];
  return a.ok && b.ok && kind.print(a.value) === kind.print(b.value);
}
