import { expect, test } from "vitest";
import { ask, nowMs, problemsOf, rule, subjectOf } from "../rules-under-test.ts";
import type { FieldType } from "./field.ts";
import { operatorTable } from "./operators.ts";
import { truthNames } from "./truth.ts";

/** A field of each type in `torrents/info`, with two values it can hold, the smaller one first. */
const fieldOf: Readonly<Record<FieldType, readonly [name: string, first: unknown, second: unknown]>> = {
  text: ["name", "film", "other"],
  hash: ["hash", "a".repeat(40), "b".repeat(40)],
  state: ["state", "stalledUP", "uploading"],
  number: ["ratio", 2, 3],
  bytes: ["downloaded", 2000, 3000],
  seconds: ["eta", 60, 120],
  time: ["added_on", nowMs / 1000 - 172_800, nowMs / 1000 - 86_400],
  boolean: ["auto_tmm", true, false],
};
const types = Object.keys(fieldOf).filter((type): type is FieldType => type in fieldOf);

type Asked = readonly [value: unknown, first: "yes" | "no", second: "yes" | "no"];

/** What the operator is asked of each type, and its answers for the two values; what is not here must be refused. */
const asked: Readonly<Record<string, Partial<Record<FieldType, Asked>>>> = {
  "==": ofEach((first) => [first, "yes", "no"]),
  "!=": ofEach((first) => [first, "no", "yes"]),
  in: ofEach((first) => [[first], "yes", "no"]),
  not_in: ofEach((first) => [[first], "no", "yes"]),
  ">": ofNumbers((first) => [first, "no", "yes"]),
  ">=": ofNumbers((first) => [first, "yes", "yes"]),
  "<": ofNumbers((first) => [first, "no", "no"]),
  "<=": ofNumbers((first) => [first, "yes", "no"]),
  between: ofNumbers((first) => [[first, Number(first) + 0.5], "yes", "no"]),
  older_than: { time: ["36 hours", "yes", "no"] },
  newer_than: { time: ["36 hours", "no", "yes"] },
  larger_than: { bytes: ["2.5 KB", "no", "yes"], number: [2, "no", "yes"] },
  smaller_than: { bytes: ["2.5 KB", "yes", "no"], number: [3, "yes", "no"] },
  contains: ofTexts((first) => [first.slice(1), "yes", "no"]),
  not_contains: ofTexts((first) => [first.slice(1), "no", "yes"]),
  icontains: ofTexts((first) => [first.slice(1).toUpperCase(), "yes", "no"]),
  starts_with: ofTexts((first) => [first.slice(0, -1), "yes", "no"]),
  ends_with: ofTexts((first) => [first.slice(1), "yes", "no"]),
  iequals: ofTexts((first) => [first.toUpperCase(), "yes", "no"]),
  matches: ofEach((first) => [`^${asPython(first)}$`, "yes", "no"]),
  not_matches: ofEach((first) => [`^${asPython(first)}$`, "no", "yes"]),
  exists: ofEach(() => [true, "yes", "yes"]),
  is_empty: ofEach(() => [true, "no", "no"]),
};

function ofEach(make: (first: unknown) => Asked): Partial<Record<FieldType, Asked>> {
  return Object.fromEntries(types.map((type) => [type, make(fieldOf[type][1])]));
}

function ofNumbers(make: (first: unknown) => Asked): Partial<Record<FieldType, Asked>> {
  const numeric = ["number", "bytes", "seconds", "time"] as const;
  return Object.fromEntries(numeric.map((type) => [type, make(fieldOf[type][1])]));
}

function ofTexts(make: (first: string) => Asked): Partial<Record<FieldType, Asked>> {
  return Object.fromEntries(
    (["text", "hash", "state"] as const).map((type) => [type, make(String(fieldOf[type][1]))]),
  );
}

function asPython(value: unknown): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return String(value).replace(".", "\\.");
}

test("the table below asks every operator there is", () => {
  expect(Object.keys(asked).toSorted()).toEqual([...operatorTable().keys()].toSorted());
});

const pairs = Object.entries(asked).flatMap(([operator, byType]) =>
  types.map((type) => ({ operator, type, question: byType[type], about: fieldOf[type] })),
);
const questions = pairs.flatMap(({ operator, type, question, about: [name, first, second] }) => {
  if (question === undefined) return [];
  const [value, ofFirst, ofSecond] = question;
  const condition = { field: `info.${name}`, operator, value };
  const expected = [ofFirst, ofSecond, isYesForNull(operator) ? "yes" : "no", "unknown"];
  return [
    {
      what: `${type} ${operator}`,
      type,
      name,
      condition,
      actual: [first, second, null, undefined],
      expected,
    },
  ];
});
const refusals = pairs.flatMap(({ operator, type, question, about: [name, value] }) =>
  question === undefined ? [{ what: `${type} ${operator}`, field: `info.${name}`, operator, value }] : [],
);

function isYesForNull(operator: string): boolean {
  return operator === "is_empty" || operatorTable().get(operator)?.negative === true;
}

test.each(questions)(
  "$what $condition.value asked of $actual: $expected",
  ({ name, condition, actual, expected }) => {
    const answers = actual.map((value) => truthNames[ask([condition], subjectOf({ [name]: value }))]);
    expect(answers).toEqual(expected);
  },
);

/** Fields of a torrent's files by their type; there are no collections of the other types. */
const ofFiles: Partial<Record<FieldType, string>> = {
  text: "name",
  bytes: "size",
  number: "progress",
  boolean: "is_seed",
};
const ofCollections = questions.flatMap((question) => {
  const property = ofFiles[question.type];
  return property === undefined ? [] : [{ ...question, property, field: `files.${property}` }];
});

test.each(ofCollections)(
  "$what $condition.value asked of a collection of $actual.0 and $actual.1: any, all, none",
  ({ property, field, condition, actual, expected }) => {
    const subject = subjectOf();
    subject.setPart(
      "files",
      actual.slice(0, 2).map((value) => ({ [property]: value })),
    );
    const answers = ["any", "all", "none"].map(
      (match) => truthNames[ask([{ ...condition, field, match }], subject)],
    );
    const yes = expected.slice(0, 2).filter((answer) => answer === "yes").length;
    expect(answers).toEqual([yes > 0, yes === 2, yes === 0].map((holds) => (holds ? "yes" : "no")));
  },
);

test.each(refusals)("$what is refused", ({ field, operator, value }) => {
  const said = problemsOf({ rules: [rule([{ field, operator, value }])] });
  expect(said.join()).toContain(`cannot be asked of ${field}`);
});
