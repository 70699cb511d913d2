import type { Pattern } from "./pattern-tree.ts";

/** Takes `.*` off both ends: for a search it changes nothing, and for V8 it is the difference of a square. */
export function trimSearch(pattern: Pattern): Pattern {
  if (pattern.kind === "foldCase") return { ...pattern, item: trimSearch(pattern.item) };
  if (pattern.kind !== "sequence") return pattern;
  const items = pattern.items;
  const from = items.findIndex((item) => !isAnything(item));
  if (from === -1) return { kind: "sequence", items: [] };
  const to = items.findLastIndex((item) => !isAnything(item));
  return { kind: "sequence", items: items.slice(from, to + 1) };
}

function isAnything(pattern: Pattern): boolean {
  return (
    pattern.kind === "repeat" && pattern.min === 0 && pattern.max === Infinity && pattern.item.kind === "any"
  );
}
