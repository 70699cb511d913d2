import type { Condition, Leaf } from "../compile/condition.ts";
import { show } from "../language/read-value.ts";
import { yes } from "../language/truth.ts";
import { evaluate, readField, whyNoValue } from "./evaluate.ts";
import type { Subject } from "./subject.ts";

/** The conditions that make a matching one match, with the values found: `info.ratio >= 2 (is 2.4)`. */
export function reasons(condition: Condition, subject: Subject): string[] {
  if (condition.kind === "leaf") return [leafReason(condition, subject)];
  if (condition.kind === "all") return condition.items.flatMap((item) => reasons(item, subject));
  if (condition.kind === "none") return condition.items.map((item) => `not: ${outline(item, subject)}`);
  const decisive = condition.items.find((item) => evaluate(item, subject) === yes);
  return decisive === undefined ? [] : reasons(decisive, subject);
}

function leafReason(leaf: Leaf, subject: Subject): string {
  const actual = actualValue(leaf, subject);
  return actual === undefined ? leaf.text : `${leaf.text} (is ${actual})`;
}

function outline(condition: Condition, subject: Subject): string {
  if (condition.kind === "leaf") return leafReason(condition, subject);
  const items = condition.items.map((item) => outline(item, subject));
  return `${condition.kind} of (${items.join("; ")})`;
}

/** As JSON, cut after 80 characters; undefined where there is no value to show. */
export function actualValue({ field }: Leaf, subject: Subject): string | undefined {
  const value = readField(field, subject);
  return whyNoValue(value) === undefined ? show(value) : undefined;
}
