import type { DeclaredSetting } from "./declare-settings.ts";
import type { Environment } from "./environment.ts";
import { fileVariantOf } from "./file-variant.ts";
import { editDistance } from "./nearest.ts";

/** A name below this many characters has neighbours that are words of their own, such as HOST and POST. */
const shortestName = 8;

/**
 * Warns about variables that mean nothing to a program and look like one of its own that is not set: a slip of the
 * keyboard (`APP_TOKN`), or the last word in full or cut short (`QBIT_PASSWORD` for `QBIT_PASS`). A fault would be too much: one
 * environment may be shared by several programs, and most of what is in it is nobody's here. That no program takes
 * another one's variable for its own, misspelt, is a test of `packages/docs`.
 */
export function warnAboutUnknownVariables(
  program: { readonly name: string; readonly otherVariables: readonly string[] },
  declared: readonly DeclaredSetting[],
  env: Environment,
): string[] {
  const known = new Set([
    ...declared.flatMap(({ env: names }) => withFiles(names)),
    ...program.otherVariables,
  ]);
  const missing = declared
    .map(({ env: names }) => withFiles(names))
    .filter((names) => !names.some((name) => isSet(env[name])))
    .flat()
    .filter((name) => name.length >= shortestName);
  return Object.keys(env).flatMap((given) => {
    if (known.has(given) || !isSet(env[given])) return [];
    const meant = missing.find((name) => looksLike(given, name));
    return meant === undefined ? [] : [`${given} is no setting of ${program.name}; did you mean ${meant}?`];
  });
}

const withFiles = (names: readonly string[]): string[] =>
  names.flatMap((name) => [name, fileVariantOf(name) ?? []].flat());

const isSet = (text: string | undefined): boolean => text !== undefined && text !== "";

function looksLike(given: string, name: string): boolean {
  const is = given.toUpperCase();
  if (Math.abs(is.length - name.length) <= 1 && editDistance(is, name) <= 1) return true;
  if (is.length < shortestName || is.endsWith("_FILE") !== name.endsWith("_FILE")) return false;
  const [stem, meant] = [withoutFile(is), withoutFile(name)];
  return isWrittenOut(stem, meant) || isWrittenOut(meant, stem);
}

/** The last word alone may be longer: what follows a further _ is another word, and mostly another setting. */
const isWrittenOut = (long: string, short: string): boolean =>
  long.startsWith(short) && /^[A-Z]+$/.test(long.slice(short.length));

const withoutFile = (name: string): string => name.replace(/_FILE$/, "");
