import type { Pattern } from "./pattern-tree.ts";

/** For V8, with the flag `u`. Groups capture only where something refers to them. */
export function writeForV8(pattern: Pattern): string {
  return write(pattern, { end: "(?=\\n?(?![^]))", absoluteEnd: "(?![^])", start: "(?<![^])" });
}

export function writeForRe2(pattern: Pattern): string {
  return write(pattern, { end: "(?:\\n?\\z)", absoluteEnd: "\\z", start: "\\A" });
}

type Dialect = { readonly end: string; readonly absoluteEnd: string; readonly start: string };

// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive
function write(pattern: Pattern, dialect: Dialect): string {
  const inner = (item: Pattern) => write(item, dialect);
  switch (pattern.kind) {
    case "literal":
      return /[\^$\\.*+?()[\]{}|/]/.test(pattern.char) ? `\\${pattern.char}` : pattern.char;
    case "set":
      return `[${pattern.negated ? "^" : ""}${pattern.body}]`;
    case "any":
      return pattern.withNewline ? "(?s:.)" : "[^\\n]";
    case "start":
    case "end":
    case "absoluteEnd":
      return dialect[pattern.kind];
    case "lineStart":
      return "(?m:^)";
    case "lineEnd":
      return "(?m:$)";
    case "wordEdge":
      return "\\b";
    case "noWordEdge":
      return "\\B";
    case "sequence":
      return pattern.items
        .map((item) => (item.kind === "choice" ? `(?:${inner(item)})` : inner(item)))
        .join("");
    case "choice":
      return pattern.items.map(inner).join("|");
    case "capture":
      return `(${inner(pattern.item)})`;
    case "foldCase":
      return `(?${pattern.on ? "" : "-"}i:${inner(pattern.item)})`;
    case "repeat":
      return `(?:${inner(pattern.item)})${bounds(pattern)}${pattern.lazy ? "?" : ""}`;
    case "look":
      return `(?${pattern.ahead ? "" : "<"}${pattern.negated ? "!" : "="}${inner(pattern.item)})`;
    case "again":
      return `(?:\\${pattern.index})`;
  }
}

function bounds({ min, max }: { min: number; max: number }): string {
  if (max === Infinity) return min === 0 ? "*" : min === 1 ? "+" : `{${min},}`;
  return min === 0 && max === 1 ? "?" : `{${min},${max}}`;
}
