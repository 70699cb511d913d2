import { nearest } from "@qbit-sidecars/config";
import { isMap, isScalar, isSeq } from "yaml";
import { parseRuleDuration } from "../language/durations.ts";
import { fieldTable, type Fields } from "../language/fields.ts";
import { operatorTable } from "../language/operators.ts";
import { parseRuleSize } from "../language/sizes.ts";
import { formerStateWords } from "../language/states.ts";
import type { Migration } from "./migration.ts";
import { keyOf, type MapNode, pairOf, renameKey, setValue, valueAt } from "./yaml-nodes.ts";

const groups = ["all", "any", "none"];
const leafKeys = ["field", "operator", "value", "match", "count"];
/** Documented upstream, and never told by qBittorrent under these names. */
const formerFields: Readonly<Record<string, string>> = {
  "transfer.dl_speed": "transfer.dl_info_speed",
  "transfer.up_speed": "transfer.up_info_speed",
};
/** What upstream's parser of durations understood; it took everything else for 0 seconds. */
const upstreamDuration = /^\s*\d+\s*(second|minute|hour|day|week|month|year)/i;

export type ConditionContext = { readonly migration: Migration; readonly isDestructive: boolean };

/** Goes through conditions of any depth. `isTop`: the mapping right under `conditions`. */
export function migrateConditions(node: unknown, context: ConditionContext, isTop = true): void {
  if (isSeq(node)) {
    if (isTop)
      context.migration.left(node, "a bare list matched every torrent before 0.5.3; all of it has to hold");
    for (const item of node.items) migrateConditions(item, context, false);
  } else if (isMap(node)) {
    if (pairOf(node, "field") !== undefined) new LeafMigration(node, context).run();
    else if (pairOf(node, "$ref") === undefined) migrateGroups(node, context, isTop);
  }
}

function migrateGroups(node: MapNode, context: ConditionContext, isTop: boolean): void {
  const { migration } = context;
  for (const pair of node.items) {
    const key = keyOf(pair);
    if (isTop && ["context", "trigger", "match_all"].includes(key)) continue;
    if (!groups.includes(key)) renameGroup(node, key, migration);
    if (isScalar(pair.value) && pair.value.value === null)
      migration.left(
        pair.key,
        `${key}: without conditions never matched; write the conditions, or leave it out`,
      );
    if (key === "any" && isSeq(pair.value) && pair.value.items.length === 0)
      migration.left(pair.key, "any: [] never holds, whatever was documented");
    for (const item of isSeq(pair.value) ? pair.value.items : [pair.value])
      migrateConditions(item, context, false);
  }
  const written = node.items.map(keyOf).filter((key) => groups.includes(key));
  if (!isTop && written.length > 1)
    migration.left(
      node,
      `only the first of ${written.join(", ")} was looked at; now all of them have to hold`,
    );
}

function renameGroup(node: MapNode, key: string, migration: Migration): void {
  const meant = nearest(key, [...groups, ...leafKeys]);
  const at = pairOf(node, key)?.key;
  const was = `${key} is no group, so it was ignored and what stands in it did not matter`;
  if (meant === undefined || !groups.includes(meant)) return migration.left(at, was);
  migration.rewritten(at, `${was}; ${meant} was meant`);
  renameKey(node, key, meant);
}

class LeafMigration {
  readonly #leaf: MapNode;
  readonly #migration: Migration;
  readonly #isDestructive: boolean;
  readonly #fields: Fields = fieldTable();

  constructor(leaf: MapNode, { migration, isDestructive }: ConditionContext) {
    this.#leaf = leaf;
    this.#migration = migration;
    this.#isDestructive = isDestructive;
  }

  run(): void {
    this.#field();
    this.#operator();
    const name = valueAt(this.#leaf, "field");
    const field = typeof name === "string" ? this.#fields.get(name) : undefined;
    if (field?.isList === true) this.#collection(field.name);
    if (field?.type === "state") this.#states();
    if (field?.type === "text" && !field.isList) this.#number();
  }

  #field(): void {
    const name = valueAt(this.#leaf, "field");
    const at = pairOf(this.#leaf, "field")?.value;
    if (typeof name !== "string" || this.#fields.has(name)) return;
    const now = formerFields[name];
    const was = `there is no ${name}: it was always null`;
    if (now === undefined) return this.#migration.left(at, was);
    this.#migration.rewritten(at, `${was}; ${now} was meant`);
    setValue(this.#leaf, "field", now);
  }

  #operator(): void {
    const operator = valueAt(this.#leaf, "operator");
    const at = pairOf(this.#leaf, "value")?.value;
    const value = valueAt(this.#leaf, "value");
    if (typeof operator === "string" && !operatorTable().has(operator))
      this.#migration.left(
        pairOf(this.#leaf, "operator")?.value,
        `there is no operator ${operator}: the condition never held`,
      );
    if (operator === "older_than" || operator === "newer_than") this.#duration(at, operator, value);
    if (operator === "larger_than" || operator === "smaller_than") this.#size(at, operator, value);
    if ((operator === "contains" || operator === "not_contains") && typeof value === "number") {
      this.#migration.rewritten(
        at,
        `${operator} with a number was an error, and never held; now it is a text`,
      );
      setValue(this.#leaf, "value", String(value));
    }
  }

  #duration(at: unknown, operator: string, value: unknown): void {
    if (value === undefined || (typeof value === "string" && upstreamDuration.test(value))) return;
    if (typeof value === "string" && value.includes("vars.")) return;
    const meant = operator === "older_than" ? "everything that has a date" : "nothing";
    const was = `${JSON.stringify(value)} was taken for 0 seconds, so ${operator} matched ${meant}`;
    const seconds = parseRuleDuration(value);
    if (seconds === undefined) return this.#migration.left(at, `${was}; it is no duration`);
    this.#migration.rewritten(at, `${was}; now it is ${inWords(seconds)}`);
    setValue(this.#leaf, "value", inWords(seconds));
  }

  #size(at: unknown, operator: string, value: unknown): void {
    if (typeof value !== "string" || value.includes("vars.")) return;
    const size = parseRuleSize(value);
    if (size === undefined)
      this.#migration.left(
        at,
        `"${value}" was taken for 0 bytes, so larger_than matched everything and smaller_than nothing; it is no size`,
      );
    else if (/^\s*[\d.]+\s*[kmgtp]i/.test(value))
      this.#migration.left(
        at,
        `"${value}" was taken for bits without a prefix; now ${operator} takes it for ${size.bytes} bytes`,
      );
    else if (size.note !== undefined) this.#migration.left(at, size.note);
  }

  #collection(name: string): void {
    const operator = valueAt(this.#leaf, "operator");
    const at = pairOf(this.#leaf, "operator")?.value;
    const isNegative = operator === "!=" || operator === "not_in" || operator === "not_contains";
    if (name === "info.tags" && operator === "==" && valueAt(this.#leaf, "value") === "")
      return this.#migration.left(at, 'info.tags == "" never held; now it means that there are no tags');
    if (isNegative && name !== "info.tags")
      return this.#migration.left(
        at,
        `${operator} held when any item was different before 0.5.6; now every item has to be`,
      );
    if (!/^trackers\.(status|msg)$/.test(name) || isNegative || !this.#isDestructive) return;
    if (pairOf(this.#leaf, "match") !== undefined) return;
    this.#migration.rewritten(
      at,
      "one dead tracker among working ones was enough to delete; now all of them have to be (match: all)",
    );
    this.#leaf.set("match", "all");
  }

  #states(): void {
    const value = pairOf(this.#leaf, "value")?.value;
    for (const item of isSeq(value) ? value.items : [value]) {
      if (!isScalar(item) || typeof item.value !== "string") continue;
      const now = formerStateWords[item.value];
      if (now === undefined) continue;
      this.#migration.rewritten(
        item,
        `qBittorrent 5 says ${now} for ${item.value}, so this matched less there; both words mean the same now`,
      );
      item.value = now;
    }
  }

  #number(): void {
    const operator = valueAt(this.#leaf, "operator");
    const value = valueAt(this.#leaf, "value");
    if ((operator !== "==" && operator !== "!=") || typeof value !== "number") return;
    const at = pairOf(this.#leaf, "value")?.value;
    this.#migration.rewritten(at, `a text is never equal to the number ${value}; now it is a text`);
    setValue(this.#leaf, "value", String(value));
  }
}

function inWords(seconds: number): string {
  const units = [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
    [1, "second"],
  ] as const;
  const [size, unit] = units.find(([unitSeconds]) => seconds > 0 && seconds % unitSeconds === 0) ?? [
    1,
    "second",
  ];
  const amount = seconds / size;
  return `${amount} ${unit}${amount === 1 ? "" : "s"}`;
}
