import { parseRuleDuration } from "./durations.ts";
import { type Field, type FieldType, isAlwaysThere } from "./field.ts";
import type { Built, Operator, Scalar, Test } from "./operator.ts";
import { isWrong, readNumber, readScalar, show } from "./read-value.ts";
import { parseRuleSize } from "./sizes.ts";
import { truthOf } from "./truth.ts";

const everyType: readonly FieldType[] = [
  "text",
  "hash",
  "state",
  "number",
  "bytes",
  "seconds",
  "time",
  "boolean",
];
const numberTypes: readonly FieldType[] = ["number", "bytes", "seconds", "time"];

export function compareOperators(): Operator[] {
  return [
    equality("==", false),
    equality("!=", true),
    order(">", (a, b) => a > b),
    order("<", (a, b) => a < b),
    order(">=", (a, b) => a >= b),
    order("<=", (a, b) => a <= b),
    {
      name: "between",
      negative: false,
      types: numberTypes,
      value: "range",
      about: "from the first to the second number, both included",
      build: buildBetween,
    },
    membership("in", false),
    membership("not_in", true),
    age("older_than", (seconds, limit) => seconds > limit),
    age("newer_than", (seconds, limit) => seconds < limit),
    size("larger_than", (bytes, limit) => bytes > limit),
    size("smaller_than", (bytes, limit) => bytes < limit),
  ];
}

function comparable(actual: Scalar, field: Field): Scalar {
  return field.type === "hash" && typeof actual === "string" ? actual.toLowerCase() : actual;
}

function equality(name: string, negative: boolean): Operator {
  const build = (value: unknown, field: Field): Built => {
    if (field.isList && (value === "" || (Array.isArray(value) && value.length === 0)))
      return { test: () => truthOf(negative), onEmpty: !negative };
    const expected = readScalar(value, field);
    if (isWrong(expected)) return expected;
    return {
      test: (actual) => truthOf((comparable(actual, field) === expected) !== negative),
      matchesAnything: negative && expected === "" && isAlwaysThere(field),
    };
  };
  const about = negative ? "is not equal" : 'is equal; `""` or `[]` on a collection: it is empty';
  return { name, negative, types: everyType, value: "scalar", about, build };
}

function membership(name: string, negative: boolean): Operator {
  const build = (value: unknown, field: Field): Built => {
    const expected = new Set<Scalar>();
    for (const item of Array.isArray(value) ? value : [value]) {
      const read = readScalar(item, field);
      if (isWrong(read)) return read;
      expected.add(read);
    }
    const notes = Array.isArray(value)
      ? []
      : [`\`${name}\` with one value is ${negative ? "!=" : "=="}; a list was meant?`];
    const test = (actual: Scalar) => truthOf(expected.has(comparable(actual, field)) !== negative);
    return { test, notes, matchesAnything: negative && expected.size === 0 };
  };
  return {
    name,
    negative,
    types: everyType,
    value: "list",
    about: `is ${negative ? "none" : "one"} of these`,
    build,
  };
}

function order(name: string, compare: (a: number, b: number) => boolean): Operator {
  const build = (value: unknown, field: Field): Built => {
    const expected = readNumber(value, field);
    if (isWrong(expected)) return expected;
    // Progress, ratio and sizes are never negative: a rule that asks for that asks for nothing.
    const isNeverNegative =
      ["bytes", "seconds"].includes(field.type) || ["info.progress", "info.ratio"].includes(field.name);
    const isAtMostOne = field.name === "info.progress";
    const matchesAnything =
      (isNeverNegative && (name === ">=" ? expected <= 0 : name === ">" && expected < 0)) ||
      (isAtMostOne && (name === "<=" ? expected >= 1 : name === "<" && expected > 1));
    // Who compares a time with 0 or less asks for `never`; for everybody else that is neither before nor after.
    const hasNever = field.type === "time" && expected > 0;
    const test: Test = (actual) =>
      truthOf(!(hasNever && isNever(Number(actual))) && compare(Number(actual), expected));
    return { test, matchesAnything };
  };
  return {
    name,
    negative: false,
    types: numberTypes,
    value: "number",
    about: `is ${name} the number`,
    build,
  };
}

function buildBetween(value: unknown, field: Field): Built {
  const wrong = { wrong: `between takes two numbers, the smaller one first, not ${show(value)}` };
  if (!Array.isArray(value) || value.length !== 2) return wrong;
  const [from, to] = [readNumber(value[0], field), readNumber(value[1], field)];
  if (isWrong(from)) return from;
  if (isWrong(to)) return to;
  if (from > to) return wrong;
  return { test: (actual) => truthOf(Number(actual) >= from && Number(actual) <= to) };
}

/** 4294967295 is -1 as 4.x shows it: never. */
export function isNever(seconds: number): boolean {
  return seconds <= 0 || seconds === 4_294_967_295;
}

function age(name: string, compare: (seconds: number, limit: number) => boolean): Operator {
  const build = (value: unknown): Built => {
    const limit = parseRuleDuration(value);
    if (limit === undefined)
      return {
        wrong: `${show(value)} is no duration; write 30 days, 7d, 2h30m, 1.5 days or a number of seconds`,
      };
    const notes = typeof value === "number" ? [`${value} means seconds; "${value} days" was not meant?`] : [];
    return {
      notes,
      test: (actual, { world }) =>
        truthOf(!isNever(Number(actual)) && compare(world.now / 1000 - Number(actual), limit)),
      matchesAnything: name === "older_than" && limit === 0,
    };
  };
  const about = `is ${name === "older_than" ? "longer" : "less long"} ago than the duration; never is neither`;
  return { name, negative: false, types: ["time"], value: "duration", about, build };
}

function size(name: string, compare: (bytes: number, limit: number) => boolean): Operator {
  const build = (value: unknown): Built => {
    const limit = parseRuleSize(value);
    if (limit === undefined)
      return { wrong: `${show(value)} is no size; write 700 MB, 4.5GiB or a number of bytes` };
    return {
      notes: limit.note === undefined ? [] : [limit.note],
      test: (actual) => truthOf(Number(actual) >= 0 && compare(Number(actual), limit.bytes)),
    };
  };
  const about = `is ${name === "larger_than" ? "larger" : "smaller"} than the size`;
  return { name, negative: false, types: ["bytes", "number"], value: "size", about, build };
}
