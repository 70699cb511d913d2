import { Ajv2020 } from "ajv/dist/2020.js";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { actionTable } from "./language/actions.ts";
import { fieldTable } from "./language/fields.ts";
import { operatorTable } from "./language/operators.ts";
import { loadRules } from "./load-rules.ts";
import { rulesSchema } from "./json-schema.ts";
import { rule } from "./rules-under-test.ts";
import { seedExample } from "./seed-example.ts";

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true });
const validate = ajv.compile(rulesSchema());

const condition = { field: "info.name", operator: "==", value: "x" };

/** What an editor would underline. */
function underlined(source: unknown): string[] {
  validate(source);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

test("the schema is a schema", () => {
  expect(ajv.validateSchema(rulesSchema())).toBe(true);
});

describe("an editor underlines nothing in", () => {
  test("the documented example", () => {
    expect(underlined(parse(seedExample))).toEqual([]);
  });

  test.each(["rules.default.yml", "COOKBOOK.md", "REFERENCE.md"])("%s", async (name) => {
    const text = await readFile(new URL(`../${name}`, import.meta.url), "utf8");
    const blocks = name.endsWith(".md")
      ? [...text.matchAll(/```yaml\n((?:- name|refs:)[^]*?)```/g)].map(([, yaml]) => yaml)
      : [text];
    const sources = blocks.map((block) => parse(block ?? "") as unknown);
    for (const source of sources)
      expect(underlined(Array.isArray(source) ? { rules: source } : source)).toEqual([]);
    expect(sources.length).toBeGreaterThan(0);
  });

  test.each([...actionTable()])("an example of the action %s", (name, { example }) => {
    const source = { rules: [rule([condition], { type: name, params: example })] };
    expect([loadRules(JSON.stringify(source)).ok, underlined(source)]).toEqual([true, []]);
  });

  test.each([
    { rules: [], safety: { max_deletes: 3, protected_tags: ["a"], min_age: "1 day" } },
    {
      rules: [rule({ $ref: "conditions.a" }, { $ref: "actions.b" })],
      refs: { conditions: { a: [] }, actions: { b: [{ type: "stop" }] } },
    },
    {
      rules: [rule([{ field: "info.ratio", operator: ">", value: "${vars.ratio}" }])],
      refs: { vars: { ratio: 2 } },
    },
    {
      rules: [rule([{ field: "info.category", operator: "in", value: "{{ vars.names }}" }])],
      refs: { vars: { names: ["a"] } },
    },
    { rules: [rule({ context: ["a", "b"], match_all: true }, { type: "delete_torrent" })] },
    { rules: [rule([{ field: "files.name", operator: "==", value: "x", match: "count", count: ">= 2" }])] },
  ])("%j, which loads", (source) => {
    expect([loadRules(JSON.stringify(source)).ok, underlined(source)]).toEqual([true, []]);
  });
});

describe("an editor underlines", () => {
  test.each([
    [{}],
    [{ rule: [] }],
    [{ rules: {} }],
    [{ rules: [{ ...rule([condition]), enabeld: true }] }],
    [{ rules: [{ conditions: [condition], actions: [{ type: "stop" }] }] }],
    [{ rules: [{ name: "a", actions: [{ type: "stop" }] }] }],
    [{ rules: [{ name: "a", conditions: [condition] }] }],
    [{ rules: [{ ...rule([condition]), actions: [] }] }],
    [{ rules: [{ ...rule([condition]), enabled: "yes" }] }],
    [{ rules: [{ ...rule([condition]), context: 7 }] }],
    [{ rules: [rule({ alll: [] })] }],
    [{ rules: [rule({ all: null })] }],
    [{ rules: [rule([{ ...condition, field: "info.nmae" }])] }],
    [{ rules: [rule([{ ...condition, operator: "resembles" }])] }],
    [{ rules: [rule([{ ...condition, vlaue: 1 }])] }],
    [{ rules: [rule([{ ...condition, all: [] }])] }],
    [{ rules: [rule([{ ...condition, match: "some" }])] }],
    [{ rules: [rule([{ ...condition, operator: "between", value: [1] }])] }],
    [{ rules: [rule([{ ...condition, operator: "matches", value: 7 }])] }],
    [{ rules: [rule([{ ...condition, operator: "exists", value: "yes" }])] }],
    [{ rules: [rule([condition], { type: "explode" })] }],
    [{ rules: [rule([condition], { type: "stop", params: { now: true } })] }],
    [{ rules: [rule([condition], { type: "notify", params: { service: "pigeon" } })] }],
    [{ rules: [], safety: { max_delete: 3 } }],
    [{ rules: [], refs: { variables: {} } }],
  ])("%j, which does not load either", (source) => {
    expect(loadRules(JSON.stringify(source)).ok).toBe(false);
    expect(underlined(source)).not.toEqual([]);
  });
});

test("every field and operator can be completed, with a word about it", () => {
  const { $defs } = rulesSchema() as {
    $defs: { condition: { properties: Record<string, { oneOf: object[] }> } };
  };
  const { field, operator } = $defs.condition.properties;
  expect(field?.oneOf).toHaveLength(fieldTable().size);
  expect(operator?.oneOf).toHaveLength(operatorTable().size);
  for (const choice of [...(field?.oneOf ?? []), ...(operator?.oneOf ?? [])])
    expect(choice).toMatchObject({ const: expect.any(String), description: expect.stringMatching(/./) });
});
