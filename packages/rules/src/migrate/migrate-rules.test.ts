import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadRules } from "../load-rules.ts";
import { formatFinding } from "./migration.ts";
import { migrateRules } from "./migrate-rules.ts";

const old = `# My rules
rules:
  - name: Old ones  # weekly
    trigger: scheduled
    priority: 5
    conditions:
      all:
        - {field: info.completion_on, operator: older_than, value: 604800}
        - field: info.state
          operator: in
          value: [pausedUP, uploading]
        - {field: trackers.status, operator: ==, value: 4}
    actions:
      - type: delete_torrent
        params: {keep_files: true}
  - conditions:
      context: on_added
      al:
        - {field: info.name, operator: contains, value: 1080}
    actions:
      - type: add_tag
        params: {tag: hd}
      - type: start
`;

test("a file of 0.3 is told line by line what it did not do, and written anew with its comments", () => {
  const { text, findings, problems } = migrateRules(old);
  expect(findings.map((finding) => formatFinding(finding, "rules.yml"))).toEqual([
    'rules.yml:4:5: rule "Old ones": rewritten: trigger is called context now, and was ignored since 0.4.1',
    'rules.yml:5:5: rule "Old ones": rewritten: priority was documented once and never did anything',
    'rules.yml:8:68: rule "Old ones": rewritten: 604800 was taken for 0 seconds, so older_than matched everything that has a date; now it is 7 days',
    'rules.yml:11:19: rule "Old ones": rewritten: qBittorrent 5 says stoppedUP for pausedUP, so this matched less there; both words mean the same now',
    'rules.yml:12:46: rule "Old ones": rewritten: one dead tracker among working ones was enough to delete; now all of them have to be (match: all)',
    'rules.yml:15:18: rule "Old ones": rewritten: 0.6 ignored keep_files and deleted the data; now it is delete_files: false',
    'rules.yml:16:5: rule "rule 2": rewritten: a rule needs a name since 0.4.1',
    'rules.yml:17:7: rule "rule 2": rewritten: context among the conditions was ignored since 0.4.1, and the rule ran in every context; now it is the rule\'s',
    'rules.yml:18:7: rule "rule 2": rewritten: al is no group, so it was ignored and what stands in it did not matter; all was meant',
    'rules.yml:19:57: rule "rule 2": rewritten: contains with a number was an error, and never held; now it is a text',
    'rules.yml:22:18: rule "rule 2": rewritten: the param tag was ignored, so nothing was ever tagged; now it is tags, and it is applied',
    'rules.yml:23:15: rule "rule 2": to decide: on qBittorrent 5 this never started anything; now it does',
  ]);
  expect(problems).toEqual([]);
  expect(text).toBe(`# My rules
rules:
  - name: Old ones # weekly
    context: scheduled
    conditions:
      all:
        - { field: info.completion_on, operator: older_than, value: "7 days" }
        - field: info.state
          operator: in
          value: [ stoppedUP, uploading ]
        - { field: trackers.status, operator: ==, value: 4, match: all }
    actions:
      - type: delete_torrent
        params: { delete_files: false }
  - name: Rule 2
    context: on_added
    conditions:
      all:
        - { field: info.name, operator: contains, value: "1080" }
    actions:
      - type: add_tag
        params: { tags: hd }
      - type: start
`);
});

const leaf = { field: "info.name", operator: "==", value: "x" };
const remove = { type: "delete_torrent", params: { delete_files: true } };

function findingsOf(conditions: unknown, ...actions: unknown[]): string[] {
  const rules = [{ name: "a", conditions, actions: actions.length === 0 ? [{ type: "stop" }] : actions }];
  return migrateRules(JSON.stringify({ rules })).findings.map(
    ({ isRewritten, message }) => `${isRewritten ? "rewritten" : "to decide"}: ${message}`,
  );
}

describe("it is told and rewritten that", () => {
  test.each([
    [[{ ...leaf, operator: "older_than", field: "info.added_on", value: "7d" }], "now it is 7 days"],
    [
      [{ ...leaf, operator: "newer_than", field: "info.added_on", value: "1.5 hours" }],
      "matched nothing; now it is 90 minutes",
    ],
    [[{ ...leaf, value: 2024 }], "never equal to the number 2024"],
    [[{ field: "transfer.dl_speed", operator: ">", value: 1 }], "transfer.dl_info_speed was meant"],
    [{ nnone: [leaf] }, "none was meant"],
  ])("%j: %s", (conditions, words) => {
    const [, said = ""] =
      findingsOf(conditions)
        .join("\n")
        .match(/^(rewritten: .*)$/m) ?? [];
    expect(said).toContain(words);
  });

  test.each([
    [{ type: "delete_torrent" }, "the data was deleted, too"],
    [{ type: "delete_torrent", params: {} }, "the data was deleted, too"],
    [{ type: "delete_torrent", params: { keep_files: false } }, "now it is delete_files: true"],
    [
      { type: "delete_torrent", params: { keep_files: true, delete_files: true } },
      "contradict each other; the data stays; now it is delete_files: false",
    ],
    [{ type: "remove_tag", params: { tag: "x" } }, "nothing was ever tagged"],
  ])("the action %j: %s", (action, words) => {
    expect(findingsOf({ all: [leaf] }, action).join("\n")).toContain(words);
  });
});

test.each([
  [{ field: "info.added_on", operator: "older_than", value: 86_400 }, "now it is 1 day"],
  [{ field: "info.added_on", operator: "older_than", value: 0 }, "now it is 0 seconds"],
  [{ field: "info.state", operator: "==", value: "pausedDL" }, "says stoppedDL for pausedDL"],
])("%j: %s", (condition, words) => {
  expect(findingsOf({ all: [condition] })).toEqual([expect.stringContaining(words)]);
});

test.each([
  { field: "info.added_on", operator: "older_than", value: "${vars.age}" },
  { field: "info.size", operator: "larger_than", value: "{{ vars.size }}" },
  { field: "info.size", operator: "larger_than", value: "5 GB" },
  { field: "info.state", operator: "in", value: [7, "uploading"] },
  { field: "files.name", operator: "contains", value: "x" },
  { field: "trackers.status", operator: "==", value: 4 },
  { $ref: "conditions.x" },
])("of %j nothing is said", (condition) => {
  expect(findingsOf({ all: [condition] })).toEqual([]);
});

describe("it is told, and left to the writer, that", () => {
  test.each([
    [[leaf], "a bare list matched every torrent before 0.5.3"],
    [{ all: null }, "without conditions never matched"],
    [{ any: [] }, "never holds"],
    [{ xyzzy: [leaf] }, "xyzzy is no group"],
    [{ all: [{ all: [leaf], none: [leaf] }] }, "only the first of all, none was looked at"],
    [{ all: [{ ...leaf, field: "app.version" }] }, "there is no app.version: it was always null"],
    [{ all: [{ ...leaf, operator: "resembles" }] }, "there is no operator resembles"],
    [{ all: [{ field: "info.added_on", operator: "older_than", value: "soon" }] }, "it is no duration"],
    [{ all: [{ field: "info.size", operator: "larger_than", value: "abc" }] }, "taken for 0 bytes"],
    [{ all: [{ field: "info.size", operator: "larger_than", value: "5mb" }] }, "means bits"],
    [
      { all: [{ field: "info.size", operator: "larger_than", value: "8kib" }] },
      "now larger_than takes it for 8192 bytes",
    ],
    [{ all: [{ field: "info.tags", operator: "==", value: "" }] }, "there are no tags"],
    [{ all: [{ field: "files.name", operator: "!=", value: "x" }] }, "before 0.5.6"],
  ])("%j: %s", (conditions, words) => {
    expect(findingsOf(conditions).join("\n")).toMatch(/^to decide: /);
    expect(findingsOf(conditions).join("\n")).toContain(words);
  });

  test("conditions: {} of a rule that deletes match everything", () => {
    expect(findingsOf({}, remove)).toEqual([
      expect.stringContaining("matches every torrent, and the rule deletes"),
    ]);
    expect(findingsOf({})).toEqual([]);
  });

  test("delete_files: false was ignored by some versions", () => {
    expect(findingsOf({ all: [leaf] }, { type: "delete_torrent", params: { delete_files: false } })).toEqual([
      expect.stringContaining("0.4 and 0.5 ignored delete_files"),
    ]);
  });

  test("a context is given in both places", () => {
    const rule = {
      name: "a",
      context: "x",
      conditions: { context: "y", all: [leaf] },
      actions: [{ type: "stop" }],
    };
    const { findings, problems } = migrateRules(JSON.stringify({ rules: [rule] }));
    expect(findings).toMatchObject([
      { isRewritten: false, message: expect.stringContaining("another one besides") },
    ]);
    expect(problems.map(({ message }) => message).join()).toContain("given twice");
  });
});

test("what stands in refs is gone through as well, and unused keys are taken out", () => {
  const { text, findings } = migrateRules(
    JSON.stringify({
      instances: { a: 1 },
      refs: {
        conditions: { dead: { field: "trackers.status", operator: "==", value: 4 } },
        actions: {
          one: { type: "add_tag", params: { tag: "x" } },
          two: [{ type: "add_tag", params: { tag: "y" } }],
        },
      },
      rules: [
        {
          name: "a",
          conditions: { all: [{ $ref: "conditions.dead" }] },
          actions: [remove, { $ref: "actions.one" }],
        },
      ],
    }),
  );
  expect(findings).toHaveLength(4);
  expect(text).not.toContain("instances");
  expect(loadRules(text)).toMatchObject({ ok: true });
});

test("a file that needs nothing comes back byte for byte", () => {
  const text =
    "rules:\n  - {name: a, conditions: {all: [{field: info.ratio, operator: '>', value: 2}]}, actions: [{type: stop}]}\n";
  expect(migrateRules(text)).toEqual({ text, findings: [], problems: [] });
});

test("what is rewritten needs no rewriting again, and no deletion of data comes of it", () => {
  const { text } = migrateRules(old);
  expect(migrateRules(text).findings.filter(({ isRewritten }) => isRewritten)).toEqual([]);
  expect(text).not.toContain("delete_files: true");
});

test(
  "whatever the text says, the answer is findings and problems, never an error of the program",
  { timeout: 60_000 },
  () => {
    const words = fc.constantFrom(
      "rules",
      "name",
      "conditions",
      "all",
      "any",
      "field",
      "operator",
      "value",
      "actions",
      "type",
      "params",
      "tag",
      "refs",
      "$ref",
      "trackers.status",
      "older_than",
      "delete_torrent",
      "keep_files",
      "trigger",
      "7d",
    );
    const { any } = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: "medium" },
        words,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(words, tie("any"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(
        any,
        fc.array(fc.record({ name: any, conditions: any, actions: any }, { requiredKeys: [] }), {
          maxLength: 2,
        }),
        (source, rules) => {
          for (const text of [JSON.stringify(source), JSON.stringify({ rules })])
            expect(migrateRules(text).problems.every(({ message }) => message !== "")).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
    expect(migrateRules("rules: [").problems[0]?.message).toContain("not understood as YAML");
    expect(migrateRules("[".repeat(20_000)).problems).not.toEqual([]);
  },
);
