import { PatternSyntaxError, type Pattern } from "./pattern-tree.ts";
import type { Flags } from "./python-flags.ts";

/** Python's white space; RE2's `\s` would know ASCII only. */
const blanks = " \\t\\n\\r\\f\\v\u001C-\u001F\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000";

type SetBody = { body: string; negated: boolean };

/** `\d`, `\W` … outside of brackets; undefined for other letters. */
export function setOfEscape(letter: string, flags: Flags): SetBody | undefined {
  const body = bodyOf(letter.toLowerCase(), flags);
  if (body === undefined || !/^[dwsDWS]$/.test(letter)) return undefined;
  return { body, negated: letter !== letter.toLowerCase() };
}

function bodyOf(letter: string, { ascii }: Flags): string | undefined {
  if (letter === "d") return ascii ? "0-9" : "\\p{Nd}";
  if (letter === "w") return ascii ? "0-9A-Za-z_" : "\\p{L}\\p{N}_";
  return letter === "s" ? blanks : undefined;
}

const controls: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  f: "\f",
  v: "\v",
  a: "\u0007",
};

/** The one character an escape stands for; `rest` begins after the backslash. */
export function charOfEscape(rest: string): { char: string; length: number } {
  const coded = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(rest);
  if (coded !== null) {
    const code = Number.parseInt(coded[1] ?? coded[2] ?? coded[3] ?? "", 16);
    if (code > 0x10ffff) throw new PatternSyntaxError(`bad escape \\${coded[0]}`);
    return { char: String.fromCodePoint(code), length: coded[0].length };
  }
  const octal = /^(?:0[0-7]{0,2}|[1-3][0-7]{2})/.exec(rest)?.[0];
  if (octal !== undefined)
    return { char: String.fromCodePoint(Number.parseInt(octal, 8)), length: octal.length };
  const char = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  const control = controls[char];
  if (control !== undefined) return { char: control, length: 1 };
  if (rest === "" || /[A-Za-z0-9]/.test(char)) throw new PatternSyntaxError(`bad escape \\${rest[0] ?? ""}`);
  return { char, length: char.length };
}

/** Reads `…]`; `at` is behind the opening bracket. */
export function readSet(text: string, at: number, flags: Flags): { pattern: Pattern; end: number } {
  const negated = text[at] === "^";
  const first = negated ? at + 1 : at;
  let body = "";
  let next = first;
  while (next === first || text[next] !== "]") {
    const item = readItem(text, next, flags);
    next = item.end;
    const isRange = text[next] === "-" && text[next + 1] !== "]" && next + 1 < text.length;
    const to = isRange ? readItem(text, next + 1, flags) : undefined;
    if (to === undefined) body += item.body;
    else {
      if (
        to.char === undefined ||
        item.char === undefined ||
        (item.char.codePointAt(0) ?? 0) > (to.char.codePointAt(0) ?? 0)
      )
        throw new PatternSyntaxError(`bad character range ${text.slice(next - item.body.length, to.end)}`);
      body += `${item.body}-${to.body}`;
      next = to.end;
    }
  }
  return { pattern: { kind: "set", body, negated }, end: next + 1 };
}

function readItem(
  text: string,
  at: number,
  flags: Flags,
): { body: string; char: string | undefined; end: number } {
  const code = text.codePointAt(at);
  if (code === undefined) throw new PatternSyntaxError("a bracket is not closed");
  const char = String.fromCodePoint(code);
  if (char !== "\\") return { body: quoteInSet(char), char, end: at + char.length };
  const rest = text.slice(at + 1);
  const letter = rest[0] ?? "";
  const set = setOfEscape(letter, flags);
  // Inside brackets \W, \D and \S are the engines' own: what is not ASCII counts as no word character.
  if (set !== undefined)
    return { body: set.negated ? `\\${letter}` : set.body, char: undefined, end: at + 2 };
  if (letter === "b") return { body: "\\x08", char: "\b", end: at + 2 };
  const escaped = charOfEscape(rest);
  return { body: quoteInSet(escaped.char), char: escaped.char, end: at + 1 + escaped.length };
}

function quoteInSet(char: string): string {
  return /[\\\][^-]/.test(char) ? `\\${char}` : char;
}
