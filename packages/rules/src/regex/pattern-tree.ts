/** A pattern in Python's syntax, read. Flags are resolved, except that capitals do not matter inside `foldCase`. */
export type Pattern =
  | { readonly kind: "literal"; readonly char: string }
  /** `body` is what stands between the brackets, valid for V8 and RE2 alike. */
  | { readonly kind: "set"; readonly body: string; readonly negated: boolean }
  | { readonly kind: "any"; readonly withNewline: boolean }
  | { readonly kind: "start" | "end" | "absoluteEnd" | "lineStart" | "lineEnd" | "wordEdge" | "noWordEdge" }
  | { readonly kind: "sequence"; readonly items: readonly Pattern[] }
  | { readonly kind: "choice"; readonly items: readonly Pattern[] }
  | { readonly kind: "capture"; readonly index: number; readonly item: Pattern }
  | { readonly kind: "foldCase"; readonly on: boolean; readonly item: Pattern }
  | {
      readonly kind: "repeat";
      readonly item: Pattern;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    }
  | { readonly kind: "look"; readonly ahead: boolean; readonly negated: boolean; readonly item: Pattern }
  | { readonly kind: "again"; readonly index: number };

function childrenOf(pattern: Pattern): readonly Pattern[] {
  if ("items" in pattern) return pattern.items;
  return "item" in pattern ? [pattern.item] : [];
}

export function someNode(pattern: Pattern, is: (node: Pattern) => boolean): boolean {
  return is(pattern) || childrenOf(pattern).some((child) => someNode(child, is));
}

export class PatternSyntaxError extends Error {
  override readonly name = "PatternSyntaxError";
}
