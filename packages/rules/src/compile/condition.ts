import type { Field } from "../language/field.ts";
import type { Operator, Test } from "../language/operator.ts";
import type { Place } from "./problem.ts";

export type Quantifier =
  | { readonly kind: "any" | "all" | "none" }
  | { readonly kind: "count"; readonly holds: (count: number) => boolean };

export type Leaf = {
  readonly kind: "leaf";
  /** Where its answer is remembered: only of conditions that stand in several places. Set while compiling. */
  memoAt: number | undefined;
  /** `info.ratio >= 2` */
  readonly text: string;
  readonly at: Place;
  readonly field: Field;
  readonly operator: Operator;
  readonly test: Test;
  readonly quantifier: Quantifier;
  /** Its answer where there is no value. */
  readonly onEmpty: boolean;
  readonly matchesAnything: boolean;
  readonly cost: number;
};

export type Group = {
  readonly kind: "all" | "any" | "none";
  readonly at: Place;
  /** Cheapest first; as written among equals. */
  readonly items: readonly Condition[];
  readonly cost: number;
};

export type Condition = Leaf | Group;

/** Whether a condition holds for every torrent there could be, for none, or depends on the torrent. */
export function constant(condition: Condition): "always" | "never" | undefined {
  if (condition.kind === "leaf") return condition.matchesAnything ? "always" : undefined;
  const items = condition.items.map(constant);
  if (condition.kind === "all") {
    if (items.includes("never")) return "never";
    return items.every((item) => item === "always") ? "always" : undefined;
  }
  const any = items.includes("always")
    ? "always"
    : items.every((item) => item === "never")
      ? "never"
      : undefined;
  if (condition.kind === "any" || any === undefined) return any;
  return any === "always" ? "never" : "always";
}

export function leavesOf(condition: Condition): Leaf[] {
  return condition.kind === "leaf" ? [condition] : condition.items.flatMap(leavesOf);
}
