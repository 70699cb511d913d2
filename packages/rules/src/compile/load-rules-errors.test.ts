import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadRules } from "../load-rules.ts";
import { problemsOf, rule, rulesOf } from "../rules-under-test.ts";

const condition = { field: "info.name", operator: "==", value: "x" };

test("every mistake of a file is told at once, with place, rule, and the nearest right name", () => {
  const source = `rules:
  - name: Clean up
    enabeld: true
    conditions:
      all:
        - field: info.nmae
          operator: matchs
          value: x
    actions:
      - type: add_tagg
        params: {tag: x}
  - name: Second
    conditions:
      alll: []
    actions:
      - type: set_category
        params: {categroy: x}
`;
  expect(problemsOf(source)).toEqual([
    'rules.yml:3:5: rule "Clean up": there is no key enabeld here; did you mean enabled?',
    'rules.yml:6:18: rule "Clean up": there is no field "info.nmae"; did you mean info.name?',
    'rules.yml:7:21: rule "Clean up": there is no operator "matchs"; did you mean matches?',
    'rules.yml:10:15: rule "Clean up": there is no action the text "add_tagg"; did you mean add_tag?',
    'rules.yml:14:7: rule "Second": there is no group alll; did you mean all?',
    'rules.yml:17:18: rule "Second": there is no key categroy here; did you mean category?',
  ]);
});

const refused: readonly (readonly [source: string | object, words: string])[] = [
  ["", "a mapping with the key rules"],
  ["- a", "a mapping with the key rules"],
  ["rules: {}", "rules is a list"],
  ["rule: []", "did you mean rules"],
  ["rules: [", "not understood as YAML"],
  ["a: 1\na: 2", "not understood as YAML"],
  ["? [a]\n: 1", "a key has to be a word"],
  [{ rules: [7] }, "a rule is a mapping"],
  [{ rules: [{ ...rule([condition]), priority: 1, actions: [] }] }, "never did anything"],
  [
    { rules: [rule(Array.from({ length: 70 }).reduce<object>((inner) => ({ all: [inner] }), condition))] },
    "nested too deep",
  ],
  [
    { rules: [rule([condition], { type: "set_share_limits", params: { seeding_time: 1.5 } })] },
    "global or unlimited",
  ],
  [
    {
      rules: [
        rule(
          [condition],
          { type: "set_location", params: { path: "" } },
          { type: "webhook", params: { url: 7 } },
        ),
      ],
    },
    "takes a text",
  ],
  [
    { rules: [rule([{ field: "info.ratio", operator: "between", value: [1, "x"] }])] },
    "compared with a number",
  ],
  [{ rules: [rule([{ field: "info.size", operator: ">", value: true }])] }, "or a size such as 10 GB"],
  [{ rules: [rule([{ field: "info.eta", operator: ">", value: "x" }])] }, "or a duration such as 7 days"],
  [{ rules: [rule([{ field: "info.state", operator: "==", value: 7 }])] }, "one of error"],
  [{ rules: [rule([{ field: "info.category", operator: "not_in", value: 7 }])] }, "write it in quotes"],
  [{ rules: [rule([{ field: "info.name", operator: "matches", value: "a{2000}" }])] }, "above 1000"],
  [{ rules: [rule([{ field: "info.name", operator: "==", value: ["x".repeat(100)] }])] }, "…"],
  [
    { rules: [rule([{ ...condition, value: "a {{ vars.x }}" }])], refs: { vars: { x: ["a"] } } },
    "cannot be part of a text",
  ],
  [{ rules: [{}] }, "has no name"],
  [{ rules: [{ name: ["a"] }] }, "the rule's name is a text"],
  [{ rules: [{ name: "a", actions: [{ type: "stop" }] }] }, "has no conditions"],
  [{ rules: [{ name: "a", conditions: [condition] }] }, "has no actions"],
  [{ rules: [{ ...rule([condition]), actions: [] }] }, "actions is a list"],
  [{ rules: [{ ...rule([condition]), actions: ["stop"] }] }, "an action is a mapping"],
  [{ rules: [{ ...rule([condition]), actions: [{ params: {} }] }] }, "the action has no type"],
  [{ rules: [{ ...rule([condition]), enabled: "yes" }] }, "enabled is true or false"],
  [{ rules: [{ ...rule([condition]), context: 7 }] }, "context is a word"],
  [{ rules: [rule("all")] }, "conditions are a list or a mapping"],
  [{ rules: [rule({ all: null })] }, "all: is empty"],
  [{ rules: [rule({ all: "x" })] }, "takes a list of conditions"],
  [{ rules: [rule([{ ...condition, all: [] }])] }, "cannot be a group as well"],
  [{ rules: [rule([{ ...condition, valu: 1 }])] }, "did you mean value"],
  [{ rules: [rule([{ operator: "==", value: 1 }])] }, "has no field"],
  [{ rules: [rule([{ field: "info.name", value: 1 }])] }, "has no operator"],
  [{ rules: [rule([{ field: "info.name", operator: "==" }])] }, "has no value"],
  [{ rules: [rule([condition]), rule([condition])] }, "another rule has the same name"],
  [{ rules: [rule([condition], { type: "stop", params: [] })] }, "params is a mapping"],
  [{ rules: [rule([condition], { type: "stop", params: { now: true } })] }, "there is no key now"],
  [{ rules: [rule([condition], { type: "add_tag" })] }, "needs the param tags"],
  [{ rules: [rule([condition], { type: "add_tag", params: { tag: 7 } })] }, "takes texts"],
  [
    { rules: [rule([condition], { type: "add_tag", params: { tags: ["a,b"] } })] },
    "none empty or with a comma",
  ],
  [
    { rules: [rule([condition], { type: "add_tag", params: { tags: ["a"], tag: "b" } })] },
    "write one of them",
  ],
  [
    { rules: [rule([condition], { type: "add_tag", params: { tags: ["a"], mode: "full" } })] },
    "takes add, sync",
  ],
  [
    { rules: [rule([condition], { type: "rename", params: { name: "${info.nam}" } })] },
    "did you mean info.name",
  ],
  [{ rules: [rule([condition], { type: "set_location", params: { path: 7 } })] }, "takes a text"],
  [
    { rules: [rule([condition], { type: "set_upload_limit", params: { limit: "fast" } })] },
    "bytes per second",
  ],
  [{ rules: [rule([condition], { type: "set_share_limits" })] }, "needs one of its params"],
  [
    { rules: [rule([condition], { type: "set_share_limits", params: { ratio: -1 } })] },
    "global or unlimited",
  ],
  [
    { rules: [rule([condition], { type: "set_share_limits", params: { seeding_time: "x" } })] },
    "global or unlimited",
  ],
  [{ rules: [rule([condition], { type: "set_file_priority", params: { matching: "(" } })] }, "not a pattern"],
  [{ rules: [rule([condition], { type: "set_file_priority", params: { matching: 1 } })] }, "takes a pattern"],
  [
    { rules: [rule([condition], { type: "set_file_priority", params: { matching: "a(?=b)" } })] },
    "cannot be used here",
  ],
  [
    { rules: [rule([condition], { type: "set_file_priority", params: { matching: "a", priority: 3 } })] },
    "takes skip",
  ],
  [
    { rules: [rule([condition], { type: "delete_torrent", params: { delete_files: "no" } })] },
    "takes true, false, if_unshared or always",
  ],
  [
    { rules: [rule([condition], { type: "delete_torrent", params: { keep_files: "no" } })] },
    "keep_files is true or false",
  ],
  [{ rules: [rule([condition], { type: "force_start", params: { enabled: "on" } })] }, "takes true or false"],
  [{ rules: [rule([condition], { type: "export" })] }, "needs the param folder"],
  [
    {
      rules: [rule([condition], { type: "webhook", params: { url: "http://x", body: { a: "${info.x}" } } })],
    },
    "there is no field",
  ],
  [{ rules: [], safety: 7 }, "safety is a mapping"],
  [{ rules: [], safety: { max_delete: 7 } }, "did you mean max_deletes"],
  [{ rules: [], safety: { max_deletes: 1.5 } }, "a whole number"],
  [{ rules: [], safety: { max_deletes_percent: 101 } }, "up to 100"],
  [{ rules: [], safety: { protected_tags: "a" } }, "a list of texts"],
  [{ rules: [], safety: { protected_categories: [1] } }, "a list of texts"],
  [{ rules: [], safety: { min_age: "long" } }, "a duration"],
  [{ rules: [], safety: { export_torrents_to: "" } }, "a folder"],
  [{ rules: [], refs: [] }, "refs is a mapping"],
  [{ rules: [], refs: { vars: [] } }, "refs.vars is a mapping"],
  [{ rules: [rule({ $ref: "conditions.x" })] }, "there is no ref conditions.x"],
  [{ rules: [rule({ $ref: "x" })] }, "$ref takes conditions.NAME"],
  [{ rules: [rule({ $ref: "actions.x" })], refs: { actions: { x: [] } } }, "cannot stand among conditions"],
  [
    { rules: [rule({ $ref: "conditions.a", x: 1 })], refs: { conditions: { a: [condition] } } },
    "stands alone",
  ],
  [
    {
      rules: [rule({ $ref: "conditions.a" })],
      refs: { conditions: { a: [{ $ref: "conditions.b" }], b: [{ $ref: "conditions.a" }] } },
    },
    "go in a circle",
  ],
  [
    { rules: [rule([{ ...condition, value: "${vars.x}" }])], refs: { vars: { y: 1 } } },
    "there is no variable x",
  ],
  [
    {
      rules: [rule([{ ...condition, value: "${vars.x}" }])],
      refs: { vars: { x: "${vars.y}", y: "{{ vars.x }}" } },
    },
    "go in a circle",
  ],
  [
    { rules: [rule([{ ...condition, value: "a ${vars.x}" }])], refs: { vars: { x: ["a"] } } },
    "cannot be part of a text",
  ],
];

/** Conditions that say a lot and mean every torrent, with what they are refused for in a rule that deletes. */
const everyTorrent = [
  { field: "info.hash", operator: "exists" },
  { field: "info.name", operator: "is_empty", value: false },
  { field: "info.name", operator: "!=", value: "" },
  { field: "info.progress", operator: "<=", value: 1 },
  { field: "info.progress", operator: "<", value: 2 },
];

test.each(everyTorrent)("a rule that deletes whatever %j holds for is refused", (every) => {
  const remove = { type: "delete_torrent" };
  expect(problemsOf({ rules: [rule([every], remove)] }).join()).toContain("hold for every torrent");
  expect(
    problemsOf({ rules: [rule([{ field: "info.ratio", operator: ">", value: 1 }, every], remove)] }),
  ).toEqual([]);
});

test.each([
  ["info.added_on", "older_than", "5 constructor"],
  ["info.added_on", "newer_than", `${"9".repeat(400)} days`],
  ["info.eta", "<", `${"9".repeat(400)} days`],
  ["info.size", "smaller_than", `${"9".repeat(400)} TB`],
  ["info.ratio", "<", "9".repeat(400)],
])("%s %s %.30s is refused: no number is so large", (field, operator, value) => {
  expect(problemsOf({ rules: [rule([{ field, operator, value }])] })).toHaveLength(1);
});

test("min_age is a duration, or the file is refused: a guard that nothing passes guards nothing", () => {
  expect(problemsOf({ safety: { min_age: "5 constructor" }, rules: [] }).join()).toContain("a duration");
});

test.each(refused)("%j is refused: %s", (source, words) => {
  expect(problemsOf(source).join("\n")).toContain(words);
});

describe("refs and variables", () => {
  test("refs are put in, also inside of each other, and lists of actions become part of the list", () => {
    const ruleset = rulesOf({
      refs: {
        vars: { ratio: 2, tag: "seeded", both: ["a", "b"], name: "x-${vars.tag}" },
        conditions: {
          seeded: { field: "info.ratio", operator: ">=", value: "${vars.ratio}" },
          both: { all: [{ $ref: "conditions.seeded" }, { ...condition, value: "{{ vars.name }}" }] },
        },
        actions: {
          one: { type: "add_tag", params: { tags: "${vars.both}" } },
          two: [{ $ref: "actions.one" }, { type: "stop" }],
        },
      },
      rules: [
        {
          name: "a",
          conditions: { $ref: "conditions.both" },
          actions: [{ type: "recheck" }, { $ref: "actions.two" }],
        },
      ],
    });
    const [only] = ruleset.rules;
    expect(only?.actions.map(({ action }) => action.name)).toEqual(["recheck", "add_tag", "stop"]);
    expect(JSON.stringify(only?.condition)).toContain("info.ratio >= 2");
    expect(JSON.stringify(only?.condition)).toContain("x-seeded");
  });

  test("anchors and merge keys of YAML work", () => {
    const ruleset = rulesOf(`
rules:
  - <<: &defaults {stop_on_match: true}
    name: a
    conditions: &c [{field: info.name, operator: ==, value: x}]
    actions: [{type: stop}]
  - {name: b, conditions: *c, actions: [{type: stop}]}
`);
    expect(ruleset.rules.map(({ stopOnMatch }) => stopOnMatch)).toEqual([true, false]);
  });

  test("a key that is there twice is a mistake with its place; a merged one gives way", () => {
    expect(problemsOf("rules: []\nsafety: {}\nrules: []")).toEqual([
      "rules.yml:3:1: this is not understood as YAML: the key rules is there twice",
    ]);
    const merged =
      "x: &x {stop_on_match: true, enabled: false}\nrules: [{<<: *x, enabled: true, name: a, conditions: [], actions: [{type: stop}]}]";
    expect(problemsOf(merged)).toEqual(["rules.yml:1:1: there is no key x here"]);
  });

  test("what is too long is refused, and what is long is read in seconds", { timeout: 60_000 }, () => {
    expect(problemsOf("#".repeat(2_000_001))).toEqual([
      "rules.yml:1:1: the file is longer than 2000000 characters",
    ]);
    const keys = (letter: string) => Array.from({ length: 80_000 }, (_, at) => `${letter}${at}: 1`);
    // Every key compared with every other would take minutes.
    expect(problemsOf(keys("k").join("\n")).length).toBeGreaterThan(80_000);
    const merged = `x: &x {${keys("k").join(", ")}}\ny:\n  <<: *x\n  ${keys("j").join("\n  ")}`;
    expect(problemsOf(merged).length).toBeGreaterThan(0);
  });

  test("a file that is nested without end is one mistake", { timeout: 60_000 }, () => {
    for (const open of ["[", "{a: "])
      expect(
        problemsOf(`rules: ${open.repeat(20_000)}`).filter((said) => said.includes("nested too deep")).length,
      ).toBe(1);
  });

  test("merge keys take several mappings, the first of which wins; keys and values may be of any plain kind", () => {
    const ruleset = rulesOf(`
rules:
  - <<: [{stop_on_match: true, enabled: false}, {enabled: true, description: 2026-01-01}, text]
    name: 12345678901234567890
    conditions: [{field: info.name, operator: ==, value: "{{ vars.a }}-\${vars.b}"}]
    actions: [{type: stop}]
refs: {vars: {a: 1, b: true}}
`);
    expect(ruleset.rules).toMatchObject([
      { stopOnMatch: true, enabled: false, condition: { items: [{ text: 'info.name == "1-true"' }] } },
    ]);
  });

  test("refs that multiply are stopped", { timeout: 60_000 }, () => {
    const conditions = Object.fromEntries(
      Array.from({ length: 8 }, (_, at) => [
        `c${at}`,
        { any: Array.from({ length: 10 }, () => ({ $ref: `conditions.c${at + 1}` })) },
      ]),
    );
    const source = {
      refs: { conditions: { ...conditions, c8: condition } },
      rules: [rule({ $ref: "conditions.c0" })],
    };
    expect(loadRules(JSON.stringify(source)).ok).toBe(false);
  });

  test("what refs and variables of others would make huge is refused, whichever rule it stands in", () => {
    const doubled = (at: number) => "${vars.v" + String(at) + "}";
    const vars: Record<string, string> = { v0: "x" };
    for (let at = 1; at <= 60; at += 1) vars[`v${at}`] = doubled(at - 1) + doubled(at - 1);
    const conditions: Record<string, unknown> = { c0: condition };
    for (let at = 1; at <= 20; at += 1)
      conditions[`c${at}`] = Array.from({ length: 2 }, () => ({ $ref: `conditions.c${at - 1}` }));
    const wide = { vars: { v0: "x".repeat(100_000), v1: "${vars.v0}".repeat(10_000) } };
    const long = (at: number) => rule({ field: "info.name", operator: "==", value: doubled(at) });
    for (const source of [
      { refs: { vars }, rules: [long(60), { ...long(1), name: "another" }] },
      { refs: wide, rules: [long(1)] },
      { refs: { conditions }, rules: [rule({ $ref: "conditions.c20" })] },
    ]) {
      const problems = problemsOf(source).filter((problem) => problem.includes("stand for too much"));
      expect(problems).toHaveLength(source.rules.length);
    }
  });

  test("a small file that would become a huge one is refused", { timeout: 60_000 }, () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let at = 1; at < 9; at += 1)
      lines.push(`a${at}: &a${at} [${Array.from({ length: 10 }, () => `*a${at - 1}`).join(", ")}]`);
    expect(problemsOf(`${lines.join("\n")}\nrules: []`).join("\n")).toContain("holds too much");
  });
});

describe("without strict", () => {
  test("wrong rules are left out and unknown keys ignored, each with a warning", () => {
    const source = {
      rules: [
        { ...rule([condition]), colour: "red" },
        { ...rule({ alll: [] }), name: "b" },
      ],
    };
    const loaded = loadRules(JSON.stringify(source), { strict: false });
    expect(loaded).toMatchObject({ ok: true, ruleset: { rules: [{ name: "a rule" }] } });
    const said = loaded.ok ? loaded.ruleset.warnings.map(({ message }) => message).join("\n") : "";
    expect(said).toContain("there is no key colour here; it is ignored");
    expect(said).toContain("there is no group alll");
    expect(said).toContain("this rule is left out");
  });
});

test("without strict, a wrong key of a rule that deletes is no trifle, and neither is one among the guards", () => {
  const remove = { ...rule([condition], { type: "delete_torrent" }), enabeld: false };
  const loaded = loadRules(JSON.stringify({ rules: [remove] }), { strict: false });
  expect(loaded).toMatchObject({ ok: true, ruleset: { rules: [] } });
  const guards = { safety: { protected_tag: ["keep"] }, rules: [] };
  expect(loadRules(JSON.stringify(guards), { strict: false }).ok).toBe(false);
});

describe("whatever the file says", () => {
  const words = [
    "rules",
    "name",
    "conditions",
    "all",
    "any",
    "none",
    "field",
    "operator",
    "value",
    "actions",
    "type",
    "params",
    "refs",
    "vars",
    "$ref",
    "match",
    "count",
    "context",
    "safety",
    "info.name",
    "files.name",
    "matches",
    "==",
    "in",
    "older_than",
    "add_tag",
    "delete_torrent",
    "conditions.x",
    "${vars.x}",
    "7d",
    "(",
    "[a",
    "<<",
  ];
  const word = fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 8 }));
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: "medium" },
      word,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.double(),
      tie("list"),
      tie("map"),
    ),
    list: fc.array(tie("any"), { maxLength: 4 }),
    map: fc.dictionary(word, tie("any"), { maxKeys: 5 }),
  })).any;

  test(
    "random structures are loaded or refused with places, never anything else",
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(value, fc.boolean(), (source, strict) => {
          const loaded = loadRules(JSON.stringify(source), { strict });
          if (loaded.ok) return true;
          return (
            loaded.problems.length > 0 &&
            loaded.problems.every(({ line, column, message }) => line > 0 && column > 0 && message !== "")
          );
        }),
        { numRuns: 1000 },
      );
    },
  );

  test("random rules are loaded or refused with places", { timeout: 60_000 }, () => {
    const near = fc.record({ name: word, conditions: value, actions: value }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(near, { maxLength: 3 }), (rules) => {
        const loaded = loadRules(JSON.stringify({ rules }));
        return loaded.ok || loaded.problems.every(({ message }) => message !== "");
      }),
      { numRuns: 1000 },
    );
  });

  test("random text is loaded or refused with places", { timeout: 60_000 }, () => {
    const piece = fc.oneof(
      fc.constantFrom(
        ...words,
        ": ",
        "\n",
        "  ",
        "- ",
        "*a",
        "&a ",
        "!t ",
        "%",
        "|\n",
        "'",
        '"',
        "{",
        "}",
        "[",
        "]",
        "#",
        "? ",
      ),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const loaded = loadRules(pieces.join(""));
        return loaded.ok || loaded.problems.length > 0;
      }),
      { numRuns: 2000 },
    );
  });
});
