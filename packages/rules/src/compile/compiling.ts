import type { Actions } from "../language/actions.ts";
import type { Fields } from "../language/fields.ts";
import type { Operators } from "../language/operators.ts";
import type { Leaf } from "./condition.ts";
import { didYouMean } from "./expand.ts";
import type { Problems } from "./problem.ts";
import type { MapTree } from "./tree.ts";

/** What every part of the compiler needs. */
export type Compiling = {
  readonly fields: Fields;
  readonly operators: Operators;
  readonly actions: Actions;
  readonly problems: Problems;
  /** Conditions by what they say: the same one in two rules is asked once. */
  readonly leaves: Map<string, Leaf>;
  /** Those that stand in several places. */
  readonly repeated: Leaf[];
  readonly strict: boolean;
};

/** Unknown keys are mistakes: a rule without the one that was meant does something else than it says. */
export function checkKeys(
  { problems, strict }: Pick<Compiling, "problems" | "strict">,
  map: MapTree,
  known: readonly string[],
): void {
  for (const { key, at } of map.entries) {
    if (known.includes(key)) continue;
    const message = `there is no key ${key} here${didYouMean(key, known)}`;
    if (strict) problems.error(at, message);
    else problems.warn(at, `${message}; it is ignored`);
  }
}
