import { readmeBlock } from "@qbit-sidecars/testing";
import { readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { rulesSchema } from "./json-schema.ts";
import { loadRules } from "./load-rules.ts";
import { actionsReference, fieldsReference, operatorsReference, safetyReference } from "./reference.ts";

const reference = new URL("../REFERENCE.md", import.meta.url);

test.each([
  ["fields", fieldsReference],
  ["operators", operatorsReference],
  ["actions", actionsReference],
  ["safety", safetyReference],
])("the reference tells the %s the compiler knows", async (name, content) => {
  await expect(readmeBlock(reference, name, content())).resolves.toBeUndefined();
});

test("the JSON Schema is the one of these tables", async () => {
  const file = new URL("../rules.schema.json", import.meta.url);
  const wanted = `${JSON.stringify(rulesSchema(), null, 2)}\n`;
  if (process.env.UPDATE_DOCS === "1") await writeFile(file, wanted);
  expect(await readFile(file, "utf8")).toBe(wanted);
});

test("the default rules load without a warning, name their schema, and delete nothing", async () => {
  const text = await readFile(new URL("../rules.default.yml", import.meta.url), "utf8");
  expect(text).toMatch(/^# yaml-language-server: \$schema=\.\/rules\.schema\.json\n/);
  const loaded = loadRules(text);
  const rules = loaded.ok ? loaded.ruleset.rules : [];
  expect(loaded).toMatchObject({ ok: true, ruleset: { warnings: [] } });
  expect(rules.filter(({ isDestructive }) => isDestructive)).toEqual([]);
  expect(rules.length).toBeGreaterThan(3);
});

test("the reference's own example loads without a warning", async () => {
  const [, yaml = ""] = /```yaml\n(refs:[^]*?)```/.exec(await readFile(reference, "utf8")) ?? [];
  expect(loadRules(yaml)).toMatchObject({ ok: true, ruleset: { warnings: [] } });
});
