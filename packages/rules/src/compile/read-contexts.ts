import type { Compiling } from "./compiling.ts";
import { describe, type Entry, entry, type MapTree, plain, type Tree } from "./tree.ts";

/** `context` (once `trigger`) of a rule, or among its conditions where the examples of the language have it. */
export function readContexts(compiling: Compiling, rule: MapTree, conditions: Tree | undefined): string[] {
  const { problems } = compiling;
  const places = conditions?.kind === "map" ? [rule, conditions] : [rule];
  const found = places.flatMap((place) => ["context", "trigger"].flatMap((key) => entry(place, key) ?? []));
  for (const { key, at } of found) if (key === "trigger") problems.warn(at, "trigger is called context now");
  const [first, ...others] = found.map((pair) => ({ pair, contexts: readList(compiling, pair) }));
  for (const other of others) {
    if (String(other.contexts.toSorted()) === String(first?.contexts.toSorted())) continue;
    problems.error(other.pair.at, "the context is given twice, and differently; write it once");
  }
  return first?.contexts ?? [];
}

function readList({ problems }: Compiling, { value }: Entry): string[] {
  const given = plain(value);
  const list = Array.isArray(given) ? given : [given];
  if (list.length > 0 && list.every((word) => typeof word === "string" && word !== "")) return list;
  problems.error(value.at, `context is a word or a list of words, not ${describe(value)}`);
  return [];
}
