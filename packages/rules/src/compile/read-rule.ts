import { checkKeys, type Compiling } from "./compiling.ts";
import { type Condition, constant, leavesOf } from "./condition.ts";
import { didYouMean, type Expander } from "./expand.ts";
import type { Place } from "./problem.ts";
import { readCondition } from "./read-condition.ts";
import { readContexts } from "./read-contexts.ts";
import { readParams } from "./read-params.ts";
import type { Rule, RuleAction } from "./rule.ts";
import { describe, type Entry, entry, type MapTree, plain, type Tree } from "./tree.ts";

export const ruleKeys = [
  "name",
  "id",
  "enabled",
  "stop_on_match",
  "context",
  "trigger",
  "conditions",
  "actions",
  "description",
  "meta",
];
const neverDidAnything = ["priority", "schedule", "filter"];

export type RuleSource = { readonly tree: Tree; readonly index: number; readonly expander: Expander };

/** Reads one rule; undefined when it is wrong, which has been told. */
export function readRule(compiling: Compiling, { tree, index, expander }: RuleSource): Rule | undefined {
  const { problems } = compiling;
  if (tree.kind !== "map") return problems.error(tree.at, `a rule is a mapping, not ${describe(tree)}`);
  const before = problems.errors;
  const name = readName(compiling, tree, index);
  problems.rule = name;
  for (const key of neverDidAnything) {
    const pair = entry(tree, key);
    if (pair !== undefined) problems.warn(pair.at, `${key} was documented once and never did anything`);
  }
  const conditions = expandedConditions(compiling, tree, expander);
  const contexts = readContexts(compiling, tree, conditions);
  const condition = conditions && readConditions(compiling, conditions);
  const actions = readActions(compiling, tree, expander);
  const isDestructive = actions.some(
    ({ action, params }) =>
      action.destructive === true || (action.name === "arr_blocklist" && params.flag("remove_from_client")),
  );
  // What a wrong key was meant to say (enabled, context) may be what keeps this rule from deleting.
  checkKeys({ problems, strict: compiling.strict || isDestructive }, tree, [
    ...ruleKeys,
    ...neverDidAnything,
  ]);
  if (condition !== undefined && isDestructive) checkScope(compiling, { condition, conditions, at: tree.at });
  const rule = {
    index,
    name,
    at: tree.at,
    enabled: readFlag(compiling, tree, { key: "enabled", fallback: true }),
    stopOnMatch: readFlag(compiling, tree, { key: "stop_on_match", fallback: false }),
  };
  if (condition === undefined || problems.errors > before) return undefined;
  return { ...rule, contexts, condition, actions, isDestructive, needs: needsOf(condition, actions) };
}

function readName({ problems }: Compiling, tree: MapTree, index: number): string {
  const [name, id] = [entry(tree, "name"), entry(tree, "id")].map((pair) =>
    pair === undefined ? undefined : plain(pair.value),
  );
  for (const pair of [entry(tree, "name"), entry(tree, "id")]) {
    const value = pair === undefined ? "" : plain(pair.value);
    if (pair !== undefined && (value === "" || (typeof value !== "string" && typeof value !== "number")))
      problems.error(pair.value.at, `the rule's ${pair.key} is a text, not ${describe(pair.value)}`);
  }
  if (name === undefined && id === undefined) problems.error(tree.at, `rule ${index + 1} has no name`);
  const given = name ?? id;
  return typeof given === "string" || typeof given === "number" ? String(given) : `rule ${index + 1}`;
}

function readFlag(
  { problems }: Compiling,
  tree: MapTree,
  { key, fallback }: { key: string; fallback: boolean },
): boolean {
  const pair = entry(tree, key);
  if (pair === undefined) return fallback;
  const value = plain(pair.value);
  if (typeof value === "boolean") return value;
  problems.error(pair.value.at, `${key} is true or false, not ${describe(pair.value)}`);
  return fallback;
}

function expandedConditions({ problems }: Compiling, tree: MapTree, expander: Expander): Tree | undefined {
  const pair = entry(tree, "conditions");
  if (pair === undefined)
    return problems.error(tree.at, "the rule has no conditions; write conditions: {} for all torrents");
  return expander.expand(pair.value, "conditions");
}

/** The words beside the groups are about the rule, not conditions. */
function readConditions(compiling: Compiling, tree: Tree): Condition | undefined {
  if (tree.kind !== "map") return readCondition(compiling, tree);
  const groups = tree.entries.filter(({ key }) => !["context", "trigger", "match_all"].includes(key));
  if (groups.length === 0) return { kind: "all", items: [], at: tree.at, cost: 0 };
  return readCondition(compiling, { ...tree, entries: groups });
}

/** A rule that deletes whatever there is has to say so. */
function checkScope(
  { problems }: Compiling,
  { condition, conditions, at }: { condition: Condition; conditions: Tree | undefined; at: Place },
): void {
  const matchAll = conditions?.kind === "map" ? entry(conditions, "match_all") : undefined;
  if (constant(condition) !== "always" || (matchAll !== undefined && plain(matchAll.value) === true)) return;
  problems.error(
    at,
    "its conditions hold for every torrent, and it deletes; if that is meant, write match_all: true among the conditions",
  );
}

function readActions(compiling: Compiling, tree: MapTree, expander: Expander): RuleAction[] {
  const { problems } = compiling;
  const pair = entry(tree, "actions");
  if (pair === undefined) {
    problems.error(tree.at, "the rule has no actions");
    return [];
  }
  const expanded = expander.expand(pair.value, "actions");
  if (expanded.kind !== "list" || expanded.items.length === 0) {
    problems.error(pair.value.at, `actions is a list of actions, not ${describe(expanded)}`);
    return [];
  }
  return expanded.items.flatMap((item) => readAction(compiling, item) ?? []);
}

function readAction(compiling: Compiling, tree: Tree): RuleAction | undefined {
  const { problems, actions } = compiling;
  if (tree.kind !== "map")
    return problems.error(tree.at, `an action is a mapping with a type, not ${describe(tree)}`);
  checkKeys(compiling, tree, ["type", "params"]);
  const type = entry(tree, "type");
  if (type === undefined) return problems.error(tree.at, "the action has no type");
  const action = actions.get(String(plain(type.value)));
  if (action === undefined)
    return problems.error(
      type.value.at,
      `there is no action ${describe(type.value)}${didYouMean(String(plain(type.value)), actions.keys())}`,
    );
  const params = readParams(compiling, action, { at: tree.at, params: entry(tree, "params")?.value });
  if (params === undefined) return undefined;
  warnOfSharedFiles(compiling, tree, type);
  const sources = [...(action.needs ?? []), ...params.fields.map(({ source }) => source)];
  return {
    action,
    params,
    planOther: action.planOther?.(params),
    needs: [...new Set(sources)].filter((source) => source !== "list" && source !== "clock"),
  };
}

function warnOfSharedFiles({ problems }: Compiling, tree: MapTree, type: Entry): void {
  const params = entry(tree, "params")?.value;
  const files = params?.kind === "map" ? entry(params, "delete_files") : undefined;
  if (
    files !== undefined &&
    plain(files.value) === "always" &&
    String(plain(type.value)).startsWith("delete")
  )
    problems.warn(files.at, "delete_files: always also deletes data that other torrents use; true spares it");
}

function needsOf(condition: Condition, actions: readonly RuleAction[]): Rule["needs"] {
  const fields = [
    ...leavesOf(condition).map(({ field }) => field),
    ...actions.flatMap(({ params }) => params.fields),
  ];
  const ofFields = fields.map(({ name, since }) => ({ what: `the field ${name}`, since }));
  const ofActions = actions.map(({ action }) => ({ what: `the action ${action.name}`, since: action.since }));
  return [...ofFields, ...ofActions].flatMap(({ what, since }) =>
    since === undefined ? [] : [{ what, since }],
  );
}
