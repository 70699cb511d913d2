import { compareOperators } from "./compare-operators.ts";
import type { Operator } from "./operator.ts";
import { textOperators } from "./text-operators.ts";
import { thereOperators } from "./there-operators.ts";

export type Operators = ReadonlyMap<string, Operator>;

/** The one table of operators: compiler, JSON Schema and reference are made from it. */
export function operatorTable(): Operators {
  const all = [...compareOperators(), ...textOperators(), ...thereOperators()];
  return new Map(all.map((operator) => [operator.name, operator]));
}
