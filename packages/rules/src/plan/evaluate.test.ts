import fc from "fast-check";
import { expect, test } from "vitest";
import { ask, rulesOf, rule, subjectOf } from "../rules-under-test.ts";
import { truthNames } from "../language/truth.ts";
import { evaluate } from "./evaluate.ts";
import type { Subject } from "./subject.ts";

type Word = "yes" | "no" | "unknown";
type Tree = { leaf: Word } | { all: Tree[] } | { any: Tree[] } | { none: Tree[] };

/** One condition for each answer: the tag is there, is not there, or the field is not told. */
const leaves: Readonly<Record<Word, object>> = {
  yes: { field: "info.tags", operator: "==", value: "hd" },
  no: { field: "info.tags", operator: "==", value: "sd" },
  unknown: { field: "info.comment", operator: "!=", value: "x" },
};

function conditionsOf(tree: Tree): object {
  if ("leaf" in tree) return leaves[tree.leaf];
  return Object.fromEntries(Object.entries(tree).map(([key, items]) => [key, items.map(conditionsOf)]));
}

/** By the definition: what would the answer be, whatever the unknown ones turn out to be? */
function naive(tree: Tree): Word {
  const unknowns = countUnknown(tree);
  const answers = new Set<boolean>();
  for (let bits = 0; bits < 2 ** unknowns; bits += 1) {
    let at = 0;
    answers.add(decide(tree, () => ((bits >> at++) & 1) === 1));
  }
  if (answers.size === 2) return "unknown";
  return answers.has(true) ? "yes" : "no";
}

function countUnknown(tree: Tree): number {
  if ("leaf" in tree) return tree.leaf === "unknown" ? 1 : 0;
  return Object.values(tree)
    .flat()
    .reduce((sum, item) => sum + countUnknown(item), 0);
}

function decide(tree: Tree, guess: () => boolean): boolean {
  if ("leaf" in tree) return tree.leaf === "unknown" ? guess() : tree.leaf === "yes";
  if ("all" in tree) return tree.all.map((item) => decide(item, guess)).every(Boolean);
  if ("any" in tree) return tree.any.map((item) => decide(item, guess)).some(Boolean);
  return !tree.none.map((item) => decide(item, guess)).some(Boolean);
}

const { tree } = fc.letrec<{ tree: Tree; leaf: Tree }>((tie) => {
  const items = fc.array(tie("tree"), { maxLength: 3 });
  return {
    leaf: fc.record({ leaf: fc.constantFrom<Word>("yes", "no", "unknown") }),
    tree: fc.oneof(
      { maxDepth: 4, depthSize: "small" },
      tie("leaf"),
      fc.record({ all: items }),
      fc.record({ any: items }),
      fc.record({ none: items }),
    ),
  };
});

test(
  "groups of any depth answer as their definition does, with what is unknown left open",
  { timeout: 60_000 },
  () => {
    fc.assert(
      fc.property(tree, (random) => {
        fc.pre(countUnknown(random) <= 8);
        const subject = subjectOf({ tags: "hd", comment: undefined as never });
        const answer = truthNames[ask([conditionsOf(random)], subject)];
        const expected = naive(random);
        // Kleene's logic does not see that the same unknown stands in two places; it may only be more careful.
        return answer === expected || (answer === "unknown" && countUnknown(random) > 1);
      }),
      { numRuns: 1500 },
    );
  },
);

test("without unknowns the answer is exactly the definition's", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(tree, (random) => {
      fc.pre(countUnknown(random) === 0);
      return truthNames[ask([conditionsOf(random)], subjectOf({ tags: "hd" }))] === naive(random);
    }),
    { numRuns: 1500 },
  );
});

test("several groups side by side all have to hold", () => {
  const both = { all: [leaves.yes], any: [leaves.no, leaves.yes], none: [leaves.no] };
  expect([ask(both, subjectOf()), ask({ ...both, none: [leaves.yes] }, subjectOf())]).toEqual([1, 0]);
});

function sourcesWanted(subject: Subject, conditions: unknown): string[] {
  const [only] = rulesOf({ rules: [rule(conditions)] }).rules;
  if (only !== undefined) evaluate(only.condition, subject);
  return [...subject.wanted];
}

test("what is dear is only fetched when what is cheap leaves it open, wherever it is written", () => {
  const dear = { field: "files.name", operator: "matches", value: "exe$" };
  const cheaper = { field: "trackers.msg", operator: "contains", value: "x" };
  expect(sourcesWanted(subjectOf(), { all: [dear, cheaper, leaves.no] })).toEqual([]);
  expect(sourcesWanted(subjectOf(), { any: [dear, leaves.yes] })).toEqual([]);
  expect(sourcesWanted(subjectOf(), { all: [dear, cheaper, leaves.yes] })).toEqual(["trackers"]);
});

test("a magnet without metadata makes its files, size and privacy unknown, also under none", () => {
  const magnet = subjectOf({ state: "metaDL", has_metadata: false, size: 0 });
  for (const condition of [
    { field: "files.name", operator: "matches", value: "exe$" },
    { field: "info.size", operator: "smaller_than", value: "50 MB" },
    { field: "info.private", operator: "==", value: true },
  ]) {
    expect(truthNames[ask({ none: [condition] }, magnet)]).toBe("unknown");
    expect(truthNames[ask([condition], magnet)]).toBe("unknown");
  }
  expect([...magnet.notReady]).toEqual(["it has no metadata yet"]);
});

test("a torrent whose list of files is still empty is not ready either", () => {
  const subject = subjectOf();
  subject.setPart("files", []);
  expect(
    truthNames[ask({ none: [{ field: "files.name", operator: "matches", value: "exe$" }] }, subject)],
  ).toBe("unknown");
});
