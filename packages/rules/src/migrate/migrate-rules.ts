import { type Document, isMap, isScalar, isSeq, LineCounter, Pair, parseDocument, Scalar } from "yaml";
import type { Problem } from "../compile/problem.ts";
import { loadRules } from "../load-rules.ts";
import { migrateAction } from "./migrate-actions.ts";
import { migrateConditions } from "./migrate-conditions.ts";
import { type Finding, Migration } from "./migration.ts";
import { listAt, type MapNode, mapAt, mapsOf, pairOf, renameKey, valueAt } from "./yaml-nodes.ts";

export type Migrated = {
  /** The file as it should be now, with its comments. */
  readonly text: string;
  /** What did something else before, or nothing: with the line of the old text. In its order. */
  readonly findings: readonly Finding[];
  /** What is wrong with the new text all the same, with its own lines. */
  readonly problems: readonly Problem[];
};

const neverDidAnything = ["priority", "schedule", "filter"];

/**
 * Reads a file of rules of qbt-rules 0.3 to 0.6, tells of everything in it that did not do what it says, and writes
 * it anew in the language's present form. Nothing is made to delete that was not said to.
 */
export function migrateRules(text: string, { file = "rules.yml" }: { file?: string } = {}): Migrated {
  const lines = new LineCounter();
  const migration = new Migration(lines);
  const document = parse(text, lines);
  if (document !== undefined) migrateFile(document.contents, migration);
  const migrated =
    document === undefined || migration.findings.length === 0 ? text : document.toString({ lineWidth: 0 });
  const loaded = loadRules(migrated, { file });
  return {
    text: migrated,
    findings: migration.findings.toSorted((a, b) => a.line - b.line || a.column - b.column),
    problems: loaded.ok ? loaded.ruleset.warnings : loaded.problems,
  };
}

/** Undefined for what is no YAML: that is told by loading it. */
function parse(text: string, lineCounter: LineCounter): Document | undefined {
  try {
    const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: "error" });
    return document.errors.length > 0 ? undefined : document;
  } catch (error) {
    // The parser is recursive, and says so of what is nested too deep.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function migrateFile(root: unknown, migration: Migration): void {
  if (!isMap(root)) return;
  const refs = mapAt(root, "refs");
  const rules = mapsOf(listAt(root, "rules"));
  for (const { value } of (refs && mapAt(refs, "conditions"))?.items ?? [])
    // What rules delete may stand behind any ref.
    migrateConditions(value, { migration, isDestructive: rules.some(isDestructive) }, false);
  for (const { value } of (refs && mapAt(refs, "actions"))?.items ?? [])
    for (const action of isMap(value) ? [value] : mapsOf(isSeq(value) ? value : undefined))
      migrateAction(action, migration);
  for (const [index, rule] of rules.entries()) migrateRule(rule, index, migration);
  if (pairOf(root, "instances") !== undefined) {
    migration.rewritten(pairOf(root, "instances")?.key, "instances was read and never used");
    root.delete("instances");
  }
}

function migrateRule(rule: MapNode, index: number, migration: Migration): void {
  nameRule(rule, index, migration);
  for (const key of neverDidAnything) {
    if (pairOf(rule, key) === undefined) continue;
    migration.rewritten(pairOf(rule, key)?.key, `${key} was documented once and never did anything`);
    rule.delete(key);
  }
  const conditions = pairOf(rule, "conditions")?.value;
  migrateContext(rule, isMap(conditions) ? conditions : undefined, migration);
  if (isMap(conditions) && conditions.items.length === 0 && isDestructive(rule))
    migration.left(
      conditions,
      "conditions: {} matches every torrent, and the rule deletes; write what is meant, or match_all: true",
    );
  migrateConditions(conditions, { migration, isDestructive: isDestructive(rule) });
  for (const action of mapsOf(listAt(rule, "actions"))) migrateAction(action, migration);
  migration.rule = undefined;
}

function nameRule(rule: MapNode, index: number, migration: Migration): void {
  const name = valueAt(rule, "name") ?? valueAt(rule, "id");
  const isNamed = typeof name === "string" || typeof name === "number";
  migration.rule = isNamed ? String(name) : `rule ${index + 1}`;
  if (isNamed) return;
  migration.rewritten(rule, "a rule needs a name since 0.4.1");
  rule.delete("name");
  rule.items.unshift(new Pair(new Scalar("name"), new Scalar(`Rule ${index + 1}`)));
}

/** A context among the conditions is what every example has, and what no released engine ever looked at. */
function migrateContext(rule: MapNode, conditions: MapNode | undefined, migration: Migration): void {
  if (pairOf(rule, "trigger") !== undefined) {
    migration.rewritten(
      pairOf(rule, "trigger")?.key,
      "trigger is called context now, and was ignored since 0.4.1",
    );
    renameKey(rule, "trigger", "context");
  }
  for (const key of ["context", "trigger"]) {
    const pair = conditions && pairOf(conditions, key);
    if (conditions === undefined || pair === undefined) continue;
    const was = `${key} among the conditions was ignored since 0.4.1, and the rule ran in every context`;
    if (pairOf(rule, "context") !== undefined) {
      migration.left(pair.key, `${was}; the rule has another one besides`);
      continue;
    }
    migration.rewritten(pair.key, `${was}; now it is the rule's`);
    conditions.delete(key);
    const before = rule.items.findIndex(({ key: name }) => isScalar(name) && name.value === "conditions");
    rule.items.splice(before, 0, Object.assign(pair, { key: new Scalar("context") }));
  }
}

function isDestructive(rule: MapNode): boolean {
  return mapsOf(listAt(rule, "actions")).some((action) =>
    String(valueAt(action, "type")).startsWith("delete"),
  );
}
