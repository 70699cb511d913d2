import { compilePattern } from "../regex/compile-pattern.ts";
import type { Field, FieldType } from "./field.ts";
import type { Built, Operator, Scalar, Test } from "./operator.ts";
import { show } from "./read-value.ts";
import { spellings } from "./states.ts";
import { no, not, pending, truthOf, unknown, yes, type Truth } from "./truth.ts";

const textTypes: readonly FieldType[] = ["text", "hash", "state"];

/** How a value that is no text reads, as it did in the language's origin. */
function textOf(actual: Scalar): string {
  if (typeof actual === "boolean") return actual ? "True" : "False";
  return String(actual);
}

export function textOperators(): Operator[] {
  return [
    lookFor("contains", "the text is in it", (actual, sought) => actual.includes(sought)),
    lookFor("not_contains", "the text is not in it", (actual, sought) => actual.includes(sought)),
    lookFor("icontains", "the text is in it, capitals or not", (actual, sought) => actual.includes(sought)),
    lookFor("starts_with", "it begins with the text", (actual, sought) => actual.startsWith(sought)),
    lookFor("ends_with", "it ends with the text", (actual, sought) => actual.endsWith(sought)),
    lookFor("iequals", "is equal, capitals or not", (actual, sought) => actual === sought),
    pattern("matches", "the pattern is found in it (Python's `re.search`)"),
    pattern("not_matches", "the pattern is not found in it"),
  ];
}

/** The text, or any of the texts of a list. */
function lookFor(name: string, about: string, found: (actual: string, sought: string) => boolean): Operator {
  const negative = name.startsWith("not_");
  const ignoresCase = name.startsWith("i");
  const build = (value: unknown, field: Field): Built => {
    const sought = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
    if (sought.length === 0 || (Array.isArray(value) && sought.length < value.length))
      return {
        wrong: `${name} takes a text (in quotes, if it is a number) or a list of texts, not ${show(value)}`,
      };
    const wanted = ignoresCase ? sought.map((text) => text.toLowerCase()) : sought;
    const isFound = (text: string): Truth => {
      const actual = ignoresCase ? text.toLowerCase() : text;
      return truthOf(wanted.some((item) => found(actual, item)));
    };
    return {
      test: overSpellings(isFound, field, negative),
      matchesAnything: !negative && wanted.includes("") && name !== "iequals",
    };
  };
  return { name, negative, types: textTypes, value: "text", about, build };
}

function pattern(name: string, about: string): Operator {
  const negative = name === "not_matches";
  const build = (value: unknown, field: Field): Built => {
    if (typeof value !== "string") return { wrong: `${name} takes a pattern in quotes, not ${show(value)}` };
    const compiled = compilePattern(value);
    if ("wrong" in compiled) return compiled;
    const { engine } = compiled;
    if (engine === "budget") {
      const test: Test = (actual, subject) => {
        const text = textOf(actual);
        const outcome = subject.world.slowMatches?.outcome(compiled.slow, text);
        if (outcome === undefined) {
          subject.want("slowMatches");
          subject.world.slowMatches?.want(compiled.slow, text);
          return pending;
        }
        if (outcome === "out of time") {
          subject.noteFailed(`the pattern ${show(value)} ran out of its time budget`);
          return unknown;
        }
        return truthOf((outcome === "match") !== negative);
      };
      return { test, slow: true, notes: [compiled.why] };
    }
    return {
      test: overSpellings((text) => truthOf(compiled.test(text)), field, negative),
      matchesAnything: !negative && compiled.test("") && compiled.test("\u0001 ☃"),
    };
  };
  return {
    name,
    negative,
    types: [...textTypes, "number", "bytes", "seconds", "time", "boolean"],
    value: "pattern",
    about,
    build,
  };
}

/** A state is found under its present or its former spelling, and is not found only under neither. */
function overSpellings(isFound: (text: string) => Truth, field: Field, negative: boolean): Test {
  if (field.type !== "state")
    return negative ? (actual) => not(isFound(textOf(actual))) : (actual) => isFound(textOf(actual));
  return (actual) => {
    const found = spellings(textOf(actual)).some((word) => isFound(word) === yes) ? yes : no;
    return negative ? not(found) : found;
  };
}
