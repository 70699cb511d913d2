import { type Field } from "../language/field.ts";
import { sources } from "../language/source.ts";
import type { Operator } from "../language/operator.ts";
import { show } from "../language/read-value.ts";
import { type Compiling } from "./compiling.ts";
import type { Condition, Group, Leaf, Quantifier } from "./condition.ts";
import { didYouMean } from "./expand.ts";
import { readQuantifier } from "./read-quantifier.ts";
import { describe, entry, isNull, type MapTree, plain, type Tree } from "./tree.ts";

const groupKeys = ["all", "any", "none"] as const;
type GroupKey = (typeof groupKeys)[number];
const leafKeys = ["field", "operator", "value", "match", "count"];
/** Values can be this deep before nobody reads the rule any more; it protects the stack. */
const deepest = 60;

/** Reads a condition, a list of them, or a mapping of groups; undefined when it is wrong, which has been told. */
export function readCondition(compiling: Compiling, tree: Tree, depth = 0): Condition | undefined {
  const { problems } = compiling;
  if (depth > deepest) return problems.error(tree.at, "conditions are nested too deep");
  if (tree.kind === "list") return readGroup(compiling, { key: "all", tree }, depth);
  if (tree.kind === "scalar")
    return problems.error(
      tree.at,
      `conditions are a list or a mapping of all, any and none, not ${describe(tree)}`,
    );
  return entry(tree, "field") === undefined && entry(tree, "operator") === undefined
    ? readGroups(compiling, tree, depth)
    : readLeaf(compiling, tree);
}

/** Several groups side by side all have to hold. */
function readGroups(compiling: Compiling, tree: MapTree, depth: number): Condition | undefined {
  const groups: Condition[] = [];
  let isWhole = true;
  for (const { key, at, value } of tree.entries) {
    if (!isGroupKey(key)) {
      const known = [...groupKeys, ...leafKeys];
      compiling.problems.error(
        at,
        `there is no group ${key}${didYouMean(key, known) || "; a group is all, any or none"}`,
      );
      isWhole = false;
      continue;
    }
    const read = readGroup(compiling, { key, tree: value }, depth);
    if (read === undefined) isWhole = false;
    else groups.push(read);
  }
  if (!isWhole) return undefined;
  if (groups.length > 1 && depth > 0)
    compiling.problems.warn(
      tree.at,
      "several groups side by side all have to hold (upstream looks at the first only)",
    );
  const [only] = groups;
  return groups.length === 1 ? only : group("all", groups, tree.at);
}

function readGroup(
  compiling: Compiling,
  { key, tree }: { key: GroupKey; tree: Tree },
  depth: number,
): Group | undefined {
  const { problems } = compiling;
  if (isNull(tree)) return problems.error(tree.at, `${key}: is empty; write the conditions, or leave it out`);
  if (tree.kind === "scalar")
    return problems.error(tree.at, `${key}: takes a list of conditions, not ${describe(tree)}`);
  const trees = tree.kind === "list" ? tree.items : [tree];
  if (trees.length === 0 && key === "any") problems.warn(tree.at, "any: [] never holds");
  const items = trees.map((item) => readCondition(compiling, item, depth + 1));
  const whole = items.filter((item) => item !== undefined);
  return whole.length < items.length ? undefined : group(key, whole, tree.at);
}

function group(kind: GroupKey, items: readonly Condition[], at: Group["at"]): Group {
  const byCost = items.toSorted((a, b) => a.cost - b.cost);
  return { kind, items: byCost, at, cost: byCost.at(-1)?.cost ?? 0 };
}

function isGroupKey(key: string): key is GroupKey {
  return key === "all" || key === "any" || key === "none";
}

function readLeaf(compiling: Compiling, tree: MapTree): Leaf | undefined {
  const { problems, leaves } = compiling;
  const before = problems.errors;
  for (const { key, at } of tree.entries) {
    if (leafKeys.includes(key)) continue;
    const why = isGroupKey(key)
      ? "a condition cannot be a group as well; put both into a list"
      : `there is no key ${key} here`;
    problems.error(at, why + (isGroupKey(key) ? "" : didYouMean(key, leafKeys)));
  }
  const field = readField(compiling, tree);
  const operator = readOperator(compiling, tree);
  const quantifier = field && operator && readQuantifier(compiling, tree, { field, operator });
  if (field === undefined || operator === undefined || quantifier === undefined || problems.errors > before)
    return undefined;
  const value = entry(tree, "value");
  if (value === undefined && operator.value !== "switch")
    return problems.error(tree.at, `the condition on ${field.name} has no value`);
  const given = value === undefined ? undefined : plain(value.value);
  const key = JSON.stringify([field.name, operator.name, given, quantifier.text]);
  const known = leaves.get(key);
  if (known !== undefined) {
    known.memoAt ??= compiling.repeated.push(known) - 1;
    return known;
  }
  const leaf = buildLeaf(compiling, {
    tree,
    field,
    operator,
    quantifier: quantifier.quantifier,
    given,
    value: value?.value ?? tree,
  });
  if (leaf !== undefined) leaves.set(key, leaf);
  return leaf;
}

type Parts = {
  tree: MapTree;
  field: Field;
  operator: Operator;
  quantifier: Quantifier;
  given: unknown;
  value: Tree;
};

function buildLeaf({ problems }: Compiling, parts: Parts): Leaf | undefined {
  const { tree, field, operator, quantifier, given, value } = parts;
  if (!operator.types.includes(field.type))
    return problems.error(
      tree.at,
      `${operator.name} cannot be asked of ${field.name}, which is a ${field.type}${fitting(field, operator)}`,
    );
  const built = operator.build(given, field);
  if ("wrong" in built) return problems.error(value.at, built.wrong);
  for (const note of built.notes ?? []) problems.warn(value.at, note);
  return {
    kind: "leaf",
    memoAt: undefined,
    text: `${field.name} ${operator.name}${given === undefined ? "" : ` ${show(given)}`}${quantifierText(tree)}`,
    at: tree.at,
    field,
    operator,
    test: built.test,
    quantifier,
    onEmpty: built.onEmpty ?? operator.negative,
    // A negative and `any item` hold for what is there only in part: never a proof for all torrents.
    matchesAnything: built.matchesAnything === true && !field.isList,
    cost: sources.indexOf(field.source) + (built.slow === true ? sources.length : 0),
  };
}

function quantifierText(tree: MapTree): string {
  const match = entry(tree, "match");
  if (match === undefined) return "";
  const count = entry(tree, "count");
  return ` (${String(plain(match.value))}${count === undefined ? "" : ` ${String(plain(count.value))}`})`;
}

function fitting(field: Field, operator: Operator): string {
  if (operator.value === "duration")
    return field.type === "seconds" ? `; compare it with > and "7 days"` : "";
  return operator.value === "text" ? "; matches works on everything" : "";
}

function readField({ problems, fields }: Compiling, tree: MapTree): Field | undefined {
  const written = entry(tree, "field");
  if (written === undefined) return problems.error(tree.at, "the condition has no field");
  const name = plain(written.value);
  const field = typeof name === "string" ? fields.get(name) : undefined;
  if (field !== undefined) return field;
  problems.error(
    written.value.at,
    `there is no field ${show(name)}${didYouMean(String(name), fields.keys())}`,
  );
  return undefined;
}

function readOperator({ problems, operators }: Compiling, tree: MapTree): Operator | undefined {
  const written = entry(tree, "operator");
  if (written === undefined) return problems.error(tree.at, "the condition has no operator");
  const name = plain(written.value);
  const operator = typeof name === "string" ? operators.get(name) : undefined;
  if (operator !== undefined) return operator;
  problems.error(
    written.value.at,
    `there is no operator ${show(name)}${didYouMean(String(name), operators.keys())}`,
  );
  return undefined;
}
