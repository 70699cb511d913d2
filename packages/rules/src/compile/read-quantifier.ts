import type { Field } from "../language/field.ts";
import type { Operator } from "../language/operator.ts";
import type { Compiling } from "./compiling.ts";
import type { Quantifier } from "./condition.ts";
import { describe, entry, type MapTree, plain } from "./tree.ts";

const comparisons: Readonly<Record<string, (count: number, than: number) => boolean>> = {
  "==": (count, than) => count === than,
  ">=": (count, than) => count >= than,
  "<=": (count, than) => count <= than,
  ">": (count, than) => count > than,
  "<": (count, than) => count < than,
};

/** `match: any | all | none`, or `match: count` with `count: ">= 2"`. Without it: any item, of a negative every item. */
export function readQuantifier(
  { problems }: Compiling,
  tree: MapTree,
  { field, operator }: { field: Field; operator: Operator },
): { quantifier: Quantifier; text: string } | undefined {
  const match = entry(tree, "match");
  const count = entry(tree, "count");
  if (match === undefined) {
    if (count !== undefined) return problems.error(count.at, "count stands with match: count");
    return { quantifier: { kind: operator.negative ? "all" : "any" }, text: "" };
  }
  if (!field.isList) return problems.error(match.at, `${field.name} is one value; match is for collections`);
  const word = plain(match.value);
  if (word === "any" || word === "all" || word === "none") {
    if (count !== undefined) return problems.error(count.at, "count stands with match: count");
    return { quantifier: { kind: word }, text: word };
  }
  if (word !== "count")
    return problems.error(
      match.value.at,
      `match takes any, all, none or count, not ${describe(match.value)}`,
    );
  const written = count === undefined ? undefined : String(plain(count.value));
  const [, comparison = "==", number] = /^\s*(==|>=|<=|>|<)?\s*(\d+)\s*$/.exec(written ?? "") ?? [];
  const compare = comparisons[comparison];
  if (number === undefined || compare === undefined)
    return problems.error((count ?? match).at, `match: count needs count: ">= 2" (or ==, <=, >, <)`);
  return {
    quantifier: { kind: "count", holds: (found) => compare(found, Number(number)) },
    text: `count ${written ?? ""}`,
  };
}
