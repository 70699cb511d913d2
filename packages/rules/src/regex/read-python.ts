import { PatternSyntaxError, type Pattern } from "./pattern-tree.ts";
import { readSet, setOfEscape, charOfEscape } from "./read-python-set.ts";
import type { Flags } from "./python-flags.ts";
import { letterFlags, noFlags } from "./python-flags.ts";

/** Deeper groups than this are nobody's pattern; they would only exhaust the stack. */
const deepest = 100;

/** Reads a pattern in the syntax of Python's `re` (3.11). Throws {@link PatternSyntaxError}. */
export function readPython(source: string): Pattern {
  return new Reader(source).pattern();
}

class Reader {
  readonly #text: string;
  readonly #names = new Map<string, number>();
  #at = 0;
  #captures = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  pattern(): Pattern {
    const flags = this.#leadingFlags();
    const pattern = this.#choice(flags);
    if (this.#at < this.#text.length) throw this.#error("unbalanced parenthesis");
    return flags.ignoreCase ? { kind: "foldCase", on: true, item: pattern } : pattern;
  }

  #leadingFlags(): Flags {
    const match = /^\(\?([aiLmsux]+)\)/.exec(this.#text);
    if (match === null) return noFlags;
    this.#at = match[0].length;
    return letterFlags(noFlags, match[1] ?? "", "");
  }

  #choice(flags: Flags): Pattern {
    this.#depth += 1;
    if (this.#depth > deepest) throw this.#error("groups are nested too deep");
    const items = [this.#sequence(flags)];
    while (this.#take("|")) items.push(this.#sequence(flags));
    this.#depth -= 1;
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: "choice", items };
  }

  #sequence(flags: Flags): Pattern {
    const items: Pattern[] = [];
    for (;;) {
      if (flags.verbose) this.#skipVerbose();
      const next = this.#text[this.#at];
      if (next === undefined || next === "|" || next === ")") break;
      const item = this.#item(flags);
      if (item !== undefined) items.push(this.#repeated(item, flags));
    }
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: "sequence", items };
  }

  #skipVerbose(): void {
    const blank = /(?:\s|#[^\n]*)*/y;
    blank.lastIndex = this.#at;
    this.#at += blank.exec(this.#text)?.[0].length ?? 0;
  }

  #item(flags: Flags): Pattern | undefined {
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    this.#at += char.length;
    switch (char) {
      case ".":
        return { kind: "any", withNewline: flags.dotAll };
      case "^":
        return { kind: flags.multiline ? "lineStart" : "start" };
      case "$":
        return { kind: flags.multiline ? "lineEnd" : "end" };
      case "(":
        return this.#group(flags);
      case "[":
        return this.#set(flags);
      case "\\":
        return this.#escape(flags);
      case "*":
      case "+":
      case "?":
        throw this.#error("nothing to repeat");
      default:
        return { kind: "literal", char };
    }
  }

  #set(flags: Flags): Pattern {
    const { pattern, end } = readSet(this.#text, this.#at, flags);
    this.#at = end;
    return pattern;
  }

  #escape(flags: Flags): Pattern {
    const rest = this.#text.slice(this.#at);
    const again = /^[1-9]\d?/.exec(rest)?.[0];
    if (again !== undefined && !/^[0-3][0-7]{2}/.test(rest)) {
      this.#at += again.length;
      return this.#again(Number(again));
    }
    const letter = rest[0] ?? "";
    const assertion = ({ A: "start", Z: "absoluteEnd", b: "wordEdge", B: "noWordEdge" } as const)[letter];
    if (assertion !== undefined) {
      this.#at += 1;
      return { kind: assertion };
    }
    const body = setOfEscape(letter, flags);
    if (body !== undefined) {
      this.#at += 1;
      return { kind: "set", ...body };
    }
    const { char, length } = charOfEscape(rest);
    this.#at += length;
    return { kind: "literal", char };
  }

  #again(index: number): Pattern {
    if (index > this.#captures) throw this.#error(`invalid group reference ${index}`);
    return { kind: "again", index };
  }

  #group(flags: Flags): Pattern | undefined {
    if (!this.#take("?")) return this.#capture(flags, undefined);
    const rest = this.#text.slice(this.#at);
    const comment = /^#[^)]*\)/.exec(rest)?.[0];
    if (comment !== undefined) return void (this.#at += comment.length);
    const named = /^P<([A-Za-z_]\w*)>/.exec(rest);
    if (named !== null) return this.#skipTo(named[0], () => this.#capture(flags, named[1]));
    const known = /^P=([A-Za-z_]\w*)\)/.exec(rest);
    if (known !== null) return this.#skipTo(known[0], () => this.#again(this.#numberOf(known[1] ?? "")));
    const look = /^<?[=!]/.exec(rest)?.[0];
    if (look !== undefined) return this.#skipTo(look, () => this.#look(look, flags));
    const scoped = /^([aiLmsux]*)(?:-([imsx]+))?:/.exec(rest);
    if (scoped !== null) return this.#skipTo(scoped[0], () => this.#scoped(flags, scoped));
    if (/^[aiLmsux]+\)/.test(rest))
      throw this.#error("flags for the whole pattern belong at its start: (?i)…");
    if (rest.startsWith(">")) throw this.#error("atomic groups are not supported");
    if (rest.startsWith("(")) throw this.#error("conditional groups are not supported");
    throw this.#error("unknown kind of group");
  }

  #skipTo(prefix: string, read: () => Pattern): Pattern {
    this.#at += prefix.length;
    return read();
  }

  #capture(flags: Flags, name: string | undefined): Pattern {
    this.#captures += 1;
    const index = this.#captures;
    if (name !== undefined) {
      if (this.#names.has(name)) throw this.#error(`the group name ${name} is used twice`);
      this.#names.set(name, index);
    }
    return { kind: "capture", index, item: this.#closed(flags) };
  }

  #numberOf(name: string): number {
    const index = this.#names.get(name);
    if (index === undefined) throw this.#error(`unknown group name ${name}`);
    return index;
  }

  #look(prefix: string, flags: Flags): Pattern {
    const ahead = !prefix.startsWith("<");
    return { kind: "look", ahead, negated: prefix.endsWith("!"), item: this.#closed(flags) };
  }

  #scoped(flags: Flags, [, on = "", off = ""]: RegExpExecArray): Pattern {
    const inner = letterFlags(flags, on, off);
    const item = this.#closed(inner);
    return inner.ignoreCase === flags.ignoreCase ? item : { kind: "foldCase", on: inner.ignoreCase, item };
  }

  #closed(flags: Flags): Pattern {
    const item = this.#choice(flags);
    if (!this.#take(")")) throw this.#error("a parenthesis is not closed");
    return item;
  }

  #repeated(item: Pattern, flags: Flags): Pattern {
    if (flags.verbose) this.#skipVerbose();
    const bounds = this.#bounds();
    if (bounds === undefined) return item;
    if (["start", "end", "absoluteEnd", "lineStart", "lineEnd", "wordEdge", "noWordEdge"].includes(item.kind))
      throw this.#error("nothing to repeat");
    const lazy = this.#take("?");
    if (this.#take("+")) throw this.#error("possessive quantifiers are not supported");
    if (this.#bounds() !== undefined) throw this.#error("multiple repeat");
    return { kind: "repeat", item, ...bounds, lazy };
  }

  #bounds(): { min: number; max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Infinity };
    if (this.#take("+")) return { min: 1, max: Infinity };
    if (this.#take("?")) return { min: 0, max: 1 };
    // Anything else in braces is a literal brace, as in Python.
    const match = /^\{(?:(\d+)(,(\d*))?|,(\d+))\}/.exec(this.#text.slice(this.#at, this.#at + 24));
    if (match === null) return undefined;
    this.#at += match[0].length;
    const min = Number(match[1] ?? 0);
    const max =
      match[4] === undefined
        ? match[2] === undefined
          ? min
          : match[3] === ""
            ? Infinity
            : Number(match[3])
        : Number(match[4]);
    if (min > max) throw this.#error("min repeat greater than max repeat");
    if (min > 1000 || (max > 1000 && max !== Infinity))
      throw this.#error("repeat counts above 1000 are not supported");
    return { min, max };
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }

  #error(what: string): PatternSyntaxError {
    return new PatternSyntaxError(`${what}, at character ${this.#at + 1}`);
  }
}
