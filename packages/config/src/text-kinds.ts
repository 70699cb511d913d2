import * as z from "zod/mini";
import type { Kind, Reading } from "./kind.ts";
import { hideCredentials } from "./quote.ts";
import { Secret } from "./secret.ts";
import { parseUrl } from "./url.ts";

/** A pattern for a text, and in words what it asks for. */
export interface TextPattern {
  readonly regex: RegExp;
  /** Completes "is not …". */
  readonly means: string;
}

export function textKind(pattern?: TextPattern): Kind<string> {
  const schema = z.string();
  return {
    placeholder: "text",
    expected: pattern?.means ?? "a text",
    parse: (value) => ({ ok: true, value }),
    schema: pattern ? schema.check(z.regex(pattern.regex, `is not ${pattern.means}`)) : schema,
    print: printText,
    empty: "",
    keepsBlanks: true,
  };
}

export function secretKind(pattern?: TextPattern): Kind<Secret> {
  const schema = z.instanceof(Secret);
  const fits = (secret: Secret) => pattern?.regex.test(secret.reveal()) ?? true;
  return {
    placeholder: "secret",
    expected: pattern?.means ?? "a secret text",
    parse: (text, readAgain) => ({ ok: true, value: new Secret(text, readAgain) }),
    schema: pattern ? schema.check(z.refine(fits, `is not ${pattern.means}`)) : schema,
    print: String,
    empty: new Secret(""),
    keepsBlanks: true,
    secret: true,
  };
}

export function pathKind(): Kind<string> {
  const problem = "holds a line break or a NUL: is it the content of a file rather than its path?";
  return {
    ...textKind(),
    placeholder: "path",
    expected: "the path of a file or folder",
    schema: z.string().check(z.regex(/^[^\0\r\n]*$/, problem)),
    written: z.string,
  };
}

export function urlKind(schemes: readonly string[]): Kind<string> {
  return {
    placeholder: "url",
    expected: `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
    parse: (text) => parseUrl(text, schemes),
    schema: z.string(),
    written: () => z.string().check(z.regex(new RegExp(`^(${schemes.join("|")})://.`))),
    print: printText,
  };
}

/** The URL of something whose login has settings of its own. */
export function loginlessUrlKind(): Kind<string> {
  const kind = urlKind(["http", "https"]);
  const parse = (text: string): Reading<string> => {
    const reading = kind.parse(text);
    return reading.ok && new URL(reading.value).username !== ""
      ? { ok: false, problem: "holds a user name, which has a setting of its own" }
      : reading;
  };
  return { ...kind, parse };
}

export function listKind(): Kind<readonly string[]> {
  return {
    placeholder: "a,b,c",
    expected: "a list, separated by commas",
    parse: (text) => ({ ok: true, value: withoutBlanks(text.split(",")) }),
    combine: withoutBlanks,
    schema: z.array(z.string()),
    print: (texts) => printText(texts.map(hideCredentials).join(",")),
    empty: [],
  };
}

const withoutBlanks = (texts: readonly string[]): string[] =>
  texts.map((text) => text.trim()).filter((text) => text !== "");

function printText(text: string): string {
  const shown = hideCredentials(text);
  return shown === "" || /[\r\n\t]/.test(shown) ? JSON.stringify(shown) : shown;
}
