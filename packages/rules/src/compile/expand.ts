import { nearest } from "@qbit-sidecars/config";
import type { Place, Problems } from "./problem.ts";
import { describe, type Entry, entry, type MapTree, type ScalarTree, type Tree } from "./tree.ts";

export type RefKind = "conditions" | "actions";

const variable = /\$\{vars\.([\w-]+)\}|\{\{\s*vars\.([\w-]+)\s*\}\}/g;
/** Refs to refs and variables of variables can make a small file huge; no rules file has so much. */
const mostNodes = 100_000;
/** A longer text counts as several nodes. */
const charsOfNode = 100;

/** Puts in what `$ref: conditions.NAME` and `${vars.NAME}` (or `{{ vars.NAME }}`) stand for. */
export class Expander {
  readonly #refs: MapTree | undefined;
  readonly #problems: Problems;
  #nodes = 0;
  /** The rule of which it was said that it is too much. */
  #told: string | undefined = "";

  constructor(refs: MapTree | undefined, problems: Problems) {
    this.#refs = refs;
    this.#problems = problems;
  }

  expand(tree: Tree, kind: RefKind, open: readonly string[] = []): Tree {
    if (this.#isTooMuch(tree)) return { kind: "list", at: tree.at, items: [] };
    if (tree.kind === "scalar") return this.#scalar(tree, []);
    if (tree.kind === "list")
      return { ...tree, items: tree.items.flatMap((item) => this.#item(item, { kind, open })) };
    const ref = entry(tree, "$ref");
    if (ref !== undefined) return this.#ref(ref, { kind, open, alone: tree.entries.length === 1 });
    return {
      ...tree,
      entries: tree.entries.map((pair) => ({ ...pair, value: this.expand(pair.value, kind, open) })),
    };
  }

  /** What a ref inside a list stands for becomes part of the list if it is one itself. */
  #item(item: Tree, { kind, open }: { kind: RefKind; open: readonly string[] }): Tree[] {
    const expanded = this.expand(item, kind, open);
    const isRef = item.kind === "map" && entry(item, "$ref") !== undefined;
    return isRef && kind === "actions" && expanded.kind === "list" ? [...expanded.items] : [expanded];
  }

  #ref(ref: Entry, { kind, open, alone }: { kind: RefKind; open: readonly string[]; alone: boolean }): Tree {
    const nothing: Tree = { kind: "list", at: ref.at, items: [] };
    const path = ref.value.kind === "scalar" ? String(ref.value.value) : "";
    const [, section = "", name = ""] = /^(conditions|actions)\.([\w.-]+)$/.exec(path) ?? [];
    if (!alone) this.#problems.error(ref.at, "$ref stands alone in its mapping");
    if (section === "")
      this.#problems.error(ref.value.at, `$ref takes ${kind}.NAME, not ${describe(ref.value)}`);
    else if (section !== kind)
      this.#problems.error(ref.value.at, `a ref to ${section} cannot stand among ${kind}`);
    else if (open.includes(path))
      this.#problems.error(ref.value.at, `the refs ${[...open, path].join(" → ")} go in a circle`);
    else {
      const target = this.#find(section, name, ref.value.at);
      if (target !== undefined) return this.expand(target, kind, [...open, path]);
    }
    return nothing;
  }

  #find(section: string, name: string, at: Place): Tree | undefined {
    const defined = this.#refs === undefined ? undefined : entry(this.#refs, section)?.value;
    const known = defined?.kind === "map" ? defined : undefined;
    const found = known === undefined ? undefined : entry(known, name);
    if (found !== undefined) return found.value;
    const names = known?.entries.map(({ key }) => key) ?? [];
    const what = section === "vars" ? `variable ${name}` : `ref ${section}.${name}`;
    this.#problems.error(at, `there is no ${what}${didYouMean(name, names)}`);
    return undefined;
  }

  #scalar(tree: ScalarTree, open: readonly string[]): Tree {
    if (typeof tree.value !== "string") return tree;
    const matches = [...tree.value.matchAll(variable)];
    if (matches.length === 0) return tree;
    const [only] = matches;
    if (only !== undefined && only[0] === tree.value)
      return this.#variable(tree, only[1] ?? only[2] ?? "", open);
    const text = tree.value.replace(variable, (_, a?: string, b?: string) => {
      const value = this.#variable(tree, a ?? b ?? "", open);
      if (value.kind === "scalar") return String(value.value);
      this.#problems.error(
        tree.at,
        `the variable ${a ?? b ?? ""} is ${describe(value)} and cannot be part of a text`,
      );
      return "";
    });
    return { ...tree, value: text };
  }

  /** Said once of each rule, so that each is wrong. */
  #isTooMuch({ at }: Tree): boolean {
    this.#nodes += 1;
    if (this.#nodes <= mostNodes) return false;
    if (this.#told !== this.#problems.rule)
      this.#problems.error(at, "its refs and variables stand for too much");
    this.#told = this.#problems.rule;
    return true;
  }

  /** A variable may be made of others. */
  #variable(tree: ScalarTree, name: string, open: readonly string[]): Tree {
    if (this.#isTooMuch(tree)) return { ...tree, value: null };
    if (open.includes(name)) {
      this.#problems.error(tree.at, `the variables ${[...open, name].join(" → ")} go in a circle`);
      return { ...tree, value: null };
    }
    const found = this.#find("vars", name, tree.at);
    if (found === undefined) return { ...tree, value: null };
    if (found.kind === "scalar") {
      const value = this.#scalar(found, [...open, name]);
      if (value.kind === "scalar") this.#nodes += Math.floor(String(value.value).length / charsOfNode);
      return { ...value, at: tree.at };
    }
    return { ...found, at: tree.at };
  }
}

/** `; did you mean x?`, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const similar = nearest(word, candidates);
  return similar === undefined ? "" : `; did you mean ${similar}?`;
}
