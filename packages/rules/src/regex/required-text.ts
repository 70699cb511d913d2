import type { Pattern } from "./pattern-tree.ts";

/** The longest text, in small letters, without which the pattern cannot match: cheap to look for first. */
export function requiredText(pattern: Pattern): string | undefined {
  if (pattern.kind === "foldCase" || pattern.kind === "capture") return requiredText(pattern.item);
  if (pattern.kind !== "sequence") return undefined;
  let best = "";
  let run = "";
  for (const item of pattern.items) {
    // Only where small letters and capitals are one to one; İ and ß are not.
    run =
      item.kind === "literal" && /^[ -~]$/.test(item.char) && !/[ksi]/i.test(item.char)
        ? run + item.char.toLowerCase()
        : "";
    if (run.length > best.length) best = run;
  }
  return best.length >= 2 ? best : undefined;
}
