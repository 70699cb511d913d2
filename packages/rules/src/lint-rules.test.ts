import { expect, test } from "vitest";
import { lintRules } from "./lint-rules.ts";
import { rule } from "./rules-under-test.ts";

const film = { field: "info.name", operator: "==", value: "film" };
const said = (...rules: object[]) =>
  lintRules(JSON.stringify({ rules: rules.map((one, at) => ({ ...one, name: `rule ${at}` })) })).problems.map(
    ({ message }) => message,
  );

test("errors and warnings are counted apart, each with its place", () => {
  const right = lintRules("rules:\n  - {name: a, conditions: {any: []}, actions: [{type: stop}]}");
  expect(right).toMatchObject({ errors: 0, warnings: 2, problems: [{ line: 2 }, { line: 2 }] });
  expect(lintRules("rules: 7", { file: "x.yml" })).toMatchObject({
    errors: 1,
    warnings: 0,
    problems: [{ file: "x.yml" }],
  });
  expect(lintRules(JSON.stringify({ rules: [rule([film])] }))).toEqual({
    errors: 0,
    warnings: 0,
    problems: [],
  });
});

test.each([
  [[rule({ none: [{ all: [] }] })], ["its conditions hold for no torrent"]],
  [
    [rule([film, { ...film, value: "other" }])],
    ["all: wants info.name to be equal to two different values, which it never is"],
  ],
  [[rule([film, film])], []],
  [[rule({ any: [film, { ...film, value: "other" }] })], []],
  [
    [
      rule([
        { field: "info.tags", operator: "==", value: "a" },
        { field: "info.tags", operator: "==", value: "b" },
      ]),
    ],
    [],
  ],
])("%j: %j", (rules, expected) => {
  expect(said(...rules)).toEqual(expected);
});

test("a rule that an earlier one ends for every torrent is never reached, if it runs in no other context", () => {
  const ender = { ...rule({}), stop_on_match: true };
  const unreached = ['it is never reached: rule "rule 0" matches every torrent and stops there'];
  expect(said(ender, rule([film]))).toEqual(unreached);
  expect(said({ ...ender, context: ["a", "b"] }, { ...rule([film]), context: "a" })).toEqual(unreached);
  expect(said({ ...ender, context: "a" }, { ...rule([film]), context: ["a", "b"] })).toEqual([]);
  expect(said({ ...ender, context: "a" }, rule([film]))).toEqual([]);
  expect(said({ ...ender, enabled: false }, rule([film]))).toEqual([]);
  expect(said(rule({}), rule([film]))).toEqual([]);
});

test("patterns that need a time budget are named", () => {
  expect(said(rule([{ field: "info.name", operator: "matches", value: "a(?=b)" }]))).toEqual([
    "the pattern needs look-around and runs with a time budget",
  ]);
});
