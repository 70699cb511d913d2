import { RE2JS } from "re2js";
import { backtracking } from "./backtracking.ts";
import { requiredText } from "./required-text.ts";
import { type Pattern, PatternSyntaxError, someNode } from "./pattern-tree.ts";
import { readPython } from "./read-python.ts";
import { trimSearch } from "./trim-search.ts";
import { writeForRe2, writeForV8 } from "./write-pattern.ts";

/** A pattern that neither engine can run in linear time. */
export type SlowPattern = { readonly source: string; readonly forV8: string };

export type CompiledPattern =
  | { readonly engine: "v8" | "re2"; readonly test: (text: string) => boolean }
  | { readonly engine: "budget"; readonly slow: SlowPattern; readonly why: string };

/** Names are shorter; beyond this even a quadratic pattern goes to RE2. */
const longestForQuadratic = 256;

/**
 * Compiles a pattern in Python's syntax for searching. V8 is ten times as fast as RE2, so it gets what is proven
 * harmless; RE2 gets the rest; look-around and back-references, which RE2 does not know, get a time budget.
 */
export function compilePattern(source: string): CompiledPattern | { readonly wrong: string } {
  if (source.length > 5000) return { wrong: "the pattern is longer than 5000 characters" };
  try {
    return compile(readPython(source), source);
  } catch (error) {
    if (error instanceof PatternSyntaxError) return { wrong: `not a pattern: ${error.message}` };
    // What the reader lets through and an engine does not is a wrong pattern all the same, not a crash.
    return { wrong: `not a pattern: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function compile(read: Pattern, source: string): CompiledPattern {
  const beyond = beyondLinear(read);
  if (beyond !== undefined) {
    const forV8 = writeForV8(read);
    void new RegExp(forV8, "u");
    return {
      engine: "budget",
      slow: { source, forV8 },
      why: `the pattern needs ${beyond} and runs with a time budget`,
    };
  }
  const pattern = trimSearch(read);
  const danger = backtracking(pattern);
  if (danger === "unbounded") return { engine: "re2", test: re2Test(pattern) };
  const fast = new RegExp(writeForV8(pattern), "u");
  if (danger === "none") return { engine: "v8", test: (text) => fast.test(text) };
  let slow: ((text: string) => boolean) | undefined;
  return {
    engine: "v8",
    test: (text) =>
      text.length <= longestForQuadratic ? fast.test(text) : (slow ??= re2Test(pattern))(text),
  };
}

function beyondLinear(pattern: Pattern): string | undefined {
  if (someNode(pattern, ({ kind }) => kind === "again")) return "a back-reference";
  return someNode(pattern, ({ kind }) => kind === "look") ? "look-around" : undefined;
}

function re2Test(pattern: Pattern): (text: string) => boolean {
  const compiled = RE2JS.compile(writeForRe2(pattern));
  const required = requiredText(pattern);
  if (required === undefined) return (text) => compiled.test(text);
  return (text) => text.toLowerCase().includes(required) && compiled.test(text);
}
