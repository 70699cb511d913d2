import { describe, expect, test } from "vitest";
import { rule, rulesOf, subjectOf } from "../rules-under-test.ts";
import { truthNames } from "../language/truth.ts";
import { SlowMatches } from "../regex/slow-matches.ts";
import { evaluate } from "./evaluate.ts";
import { plan } from "./plan.ts";
import type { Row } from "./subject.ts";

const hostile = `${"a".repeat(60)}!`;
const slow = { field: "files.name", operator: "matches", value: "^(a+)+(?=$)" };

/** What a slow pattern says of names, first without and then with its time. */
async function answers(condition: object, names: readonly string[]): Promise<string[]> {
  const [only] = rulesOf({ rules: [rule([condition])] }).rules;
  if (only === undefined) throw new Error("there is no rule");
  const slowMatches = new SlowMatches(300);
  const subject = subjectOf({}, { slowMatches });
  subject.setPart(
    "files",
    names.map((name): Row => ({ name })),
  );
  const before = truthNames[evaluate(only.condition, subject)];
  await slowMatches.find();
  subject.reset();
  return [before, truthNames[evaluate(only.condition, subject)]];
}

describe("a pattern with a time budget, asked of a collection", () => {
  test.each([
    ["any", ["x", "aa"], "yes"],
    ["any", ["x", hostile], "unknown"],
    ["any", [hostile, "aa"], "yes"],
    ["all", ["aa", hostile], "unknown"],
    ["all", [hostile, "x"], "no"],
    ["none", [hostile, "x"], "unknown"],
    ["none", ["aa", hostile], "no"],
  ])("%s of %j: %s", async (match, names, answer) => {
    await expect(answers({ ...slow, match }, names)).resolves.toEqual(["pending", answer]);
  });

  test("a count that depends on what nobody found out is unknown", async () => {
    const condition = { ...slow, match: "count", count: ">= 2" };
    await expect(answers(condition, ["aa", hostile])).resolves.toEqual(["pending", "unknown"]);
  });
});

test("a plan leaves out torrents whose data is missing, and says which they are", () => {
  const ruleset = rulesOf({
    rules: [rule([{ field: "files.ext", operator: "==", value: "mkv" }], { type: "stop" })],
  });
  const [open, known] = [subjectOf({ hash: "0".repeat(40) }), subjectOf({ hash: "1".repeat(40) })];
  known.setPart("files", [{ name: "a.mkv" }]);
  const { changes, pending } = plan(ruleset, [open, known]);
  expect(changes.map(({ hash }) => hash)).toEqual([known.actual.hash]);
  expect(pending).toEqual([open]);
});

test("reasons name the group that decided, and what the conditions of none found", () => {
  const conditions = {
    any: [
      { field: "info.ratio", operator: ">", value: 9 },
      {
        all: [
          { field: "info.ratio", operator: ">=", value: 2 },
          { none: [{ all: [{ field: "info.tags", operator: "==", value: "x" }] }] },
        ],
      },
    ],
  };
  const { changes } = plan(rulesOf({ rules: [rule(conditions, { type: "stop" })] }), [subjectOf()]);
  expect(changes[0]?.because).toEqual([
    "info.ratio >= 2 (is 2)",
    'not: all of (info.tags == "x" (is ["hd","keep"]))',
  ]);
});

test("tags in sync mode wait for the data their names are made of, also where the rule does not match", () => {
  const action = { type: "add_tag", params: { tag: "${files.count}", mode: "sync" } };
  const ruleset = rulesOf({ rules: [rule([{ field: "info.ratio", operator: ">", value: 9 }], action)] });
  const subject = subjectOf({ tags: "1" });
  expect(plan(ruleset, [subject]).pending).toEqual([subject]);
  subject.setPart("files", [{ name: "a" }]);
  expect(plan(ruleset, [subject]).changes).toMatchObject([
    { operation: { kind: "removeTags", tags: ["1"] } },
  ]);
});

test("starting the thread is not taken from a pattern's time", async () => {
  const slowMatches = new SlowMatches(10);
  const pattern = { source: "^(a+)+(?=$)", forV8: "^(a+)+(?=$)" };
  slowMatches.want(pattern, "aa");
  await slowMatches.find();
  expect(slowMatches.outcome(pattern, "aa")).toBe("match");
});
