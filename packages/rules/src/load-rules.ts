import { actionTable } from "./language/actions.ts";
import { fieldTable } from "./language/fields.ts";
import { operatorTable } from "./language/operators.ts";
import { checkKeys, type Compiling } from "./compile/compiling.ts";
import { Expander } from "./compile/expand.ts";
import { type Problem, Problems } from "./compile/problem.ts";
import { readRule } from "./compile/read-rule.ts";
import { readYaml } from "./compile/read-yaml.ts";
import type { Rule, Ruleset } from "./compile/rule.ts";
import { readSafety } from "./compile/safety.ts";
import { describe, entry, isNull, type MapTree, type Tree } from "./compile/tree.ts";

export type LoadOptions = {
  /** For messages. Default `rules.yml`. */
  file?: string;
  /**
   * Default true. False is for migrating: unknown keys are ignored and wrong rules left out, each with a warning.
   */
  strict?: boolean;
};

export type Loaded =
  | { readonly ok: true; readonly ruleset: Ruleset }
  /** Errors and warnings, in the order of the file. */
  | { readonly ok: false; readonly problems: readonly Problem[] };

const topKeys = ["rules", "refs", "safety", "instances", "version"];

/**
 * Compiles the text of a rules file. Everything that is wrong is told at once, with its place; nothing that is
 * wrong is run. Never throws for what a text says.
 */
export function loadRules(text: string, { file = "rules.yml", strict = true }: LoadOptions = {}): Loaded {
  const problems = new Problems(file);
  const tree = readYaml(text, problems);
  if (tree === undefined) return { ok: false, problems: problems.list };
  const compiling: Compiling = {
    fields: fieldTable(),
    operators: operatorTable(),
    actions: actionTable(),
    leaves: new Map(),
    repeated: [],
    problems,
    strict,
  };
  const ruleset = readFile(compiling, tree, file);
  const list = problems.list.toSorted((a, b) => a.line - b.line || a.column - b.column);
  if (ruleset === undefined || problems.errors > 0) return { ok: false, problems: list };
  return { ok: true, ruleset: { ...ruleset, warnings: list } };
}

function readFile(compiling: Compiling, tree: Tree, file: string): Ruleset | undefined {
  const { problems } = compiling;
  if (tree.kind !== "map")
    return problems.error(tree.at, `a rules file is a mapping with the key rules, not ${describe(tree)}`);
  checkKeys(compiling, tree, topKeys);
  const safety = readSafety(compiling, entry(tree, "safety")?.value);
  const rules = entry(tree, "rules")?.value;
  if (rules === undefined) return problems.error(tree.at, "there is no key rules");
  if (rules.kind !== "list") return problems.error(rules.at, `rules is a list, not ${describe(rules)}`);
  const expander = new Expander(readRefs(compiling, tree), problems);
  return { file, rules: readRules(compiling, rules.items, expander), safety, warnings: [] };
}

function readRefs(compiling: Compiling, tree: MapTree): MapTree | undefined {
  const refs = entry(tree, "refs")?.value;
  if (refs === undefined || isNull(refs)) return undefined;
  const { problems } = compiling;
  if (refs.kind !== "map") return problems.error(refs.at, `refs is a mapping, not ${describe(refs)}`);
  checkKeys(compiling, refs, ["vars", "conditions", "actions", "meta"]);
  for (const { key, value } of refs.entries) {
    if (key !== "meta" && value.kind !== "map" && !isNull(value))
      problems.error(value.at, `refs.${key} is a mapping of names, not ${describe(value)}`);
  }
  return refs;
}

function readRules(compiling: Compiling, trees: readonly Tree[], expander: Expander): Rule[] {
  const { problems, strict } = compiling;
  const rules: Rule[] = [];
  const names = new Set<string>();
  for (const [index, tree] of trees.entries()) {
    const mark = problems.list.length;
    const rule = readRule(compiling, { tree, index, expander });
    const name = problems.rule ?? "";
    if (rule !== undefined && names.has(name)) problems.error(tree.at, "another rule has the same name");
    names.add(name);
    if (rule !== undefined) rules.push(rule);
    else if (!strict) {
      problems.demote(mark);
      problems.warn(tree.at, "this rule is left out");
    }
    problems.rule = undefined;
  }
  return rules;
}
