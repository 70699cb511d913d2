import type { Pattern } from "./pattern-tree.ts";

/** Which characters: one place for each of ASCII, and one for all others. */
type Chars = Uint8Array;

const others = 128;

/** How V8, which backtracks, would fare with a pattern on hostile text. */
export type Backtracking = "none" | "quadratic" | "unbounded";

/** More ways than this at one place in the text, from alternatives and optional parts together, is too many. */
const mostWays = 64;

/**
 * Proves an upper bound. `none`: a bounded number of steps at each place of the text. `quadratic`: as many steps as
 * the square of the text's length. Everything else, and everything not understood, is `unbounded`.
 *
 * A repetition of one character need not be guessed where what follows cannot begin with that character: `\d+\.`
 */
export function backtracking(pattern: Pattern): Backtracking {
  const bound = new Bound();
  bound.visit(pattern, none());
  if (bound.isUnsafe || bound.ways > mostWays) return "unbounded";
  if (bound.repetitions === 0) return "none";
  // One square is spent on trying every place of the text, unless there is only one to try.
  const isSquare = isAnchored(pattern)
    ? bound.guessed <= 1 || bound.repetitions <= 2
    : bound.guessed === 0 || bound.repetitions === 1;
  return isSquare ? "quadratic" : "unbounded";
}

class Bound {
  isUnsafe = false;
  ways = 1;
  repetitions = 0;
  guessed = 0;

  /** Returns with which characters a match of `pattern` and then of what follows may begin. */
  // oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive
  visit(pattern: Pattern, follow: Chars): Chars {
    switch (pattern.kind) {
      case "literal":
      case "set":
      case "any":
        return charsOf(pattern);
      case "start":
      case "lineStart":
      case "wordEdge":
      case "noWordEdge":
        return follow;
      case "end":
      case "absoluteEnd":
      case "lineEnd":
        return only("\n");
      case "sequence":
        return pattern.items.reduceRight((next, item) => this.visit(item, next), follow);
      case "choice":
        return this.#choice(pattern.items, follow);
      case "capture":
      case "foldCase":
        return this.visit(pattern.item, follow);
      case "repeat":
        return this.#repeat(pattern, follow);
      case "look":
      case "again":
        this.isUnsafe = true;
        return everything();
    }
  }

  #choice(items: readonly Pattern[], follow: Chars): Chars {
    const firsts = items.map((item) => this.visit(item, follow));
    const union = firsts.reduce(join);
    const overlapping = Math.max(
      ...[...union.keys()].map((at) => firsts.filter((first) => first[at] === 1).length),
    );
    this.ways *= Math.max(1, overlapping);
    return union;
  }

  #repeat({ item, min, max }: Pattern & { kind: "repeat" }, follow: Chars): Chars {
    const single = singleOf(item);
    if (single === undefined) return this.#repeatGroup({ item, min, max }, follow);
    const chars = charsOf(single);
    const isGuessed = overlap(chars, follow);
    if (max === Infinity) {
      this.repetitions += 1;
      if (isGuessed) this.guessed += 1;
    } else if (isGuessed) this.ways *= max - min + 1;
    return min === 0 ? join(chars, follow) : chars;
  }

  #repeatGroup({ item, min, max }: { item: Pattern; min: number; max: number }, follow: Chars): Chars {
    const { repetitions, ways } = this;
    const first = this.visit(item, max > 1 ? everything() : follow);
    // Choices inside of what is repeated multiply with every round.
    if (max > 1 && (max > 16 || this.repetitions > repetitions || this.ways > ways)) this.isUnsafe = true;
    this.ways *= max - min + 1;
    return min === 0 ? join(first, follow) : first;
  }
}

function singleOf(pattern: Pattern): (Pattern & { kind: "literal" | "set" | "any" }) | undefined {
  if (pattern.kind === "literal" || pattern.kind === "set" || pattern.kind === "any") return pattern;
  return pattern.kind === "capture" || pattern.kind === "foldCase" ? singleOf(pattern.item) : undefined;
}

/** It can only match at the beginning of the text, so it is tried once. */
function isAnchored(pattern: Pattern): boolean {
  if (pattern.kind === "sequence") return pattern.items[0] !== undefined && isAnchored(pattern.items[0]);
  if (pattern.kind === "foldCase" || pattern.kind === "capture") return isAnchored(pattern.item);
  return pattern.kind === "start";
}

/** With capitals and small letters taken for the same, which only makes more patterns overlap. */
function charsOf(pattern: Pattern & { kind: "literal" | "set" | "any" }): Chars {
  if (pattern.kind === "literal")
    return join(only(pattern.char.toLowerCase()), only(pattern.char.toUpperCase()));
  const chars = everything();
  if (pattern.kind === "any") {
    if (!pattern.withNewline) chars[10] = 0;
    return chars;
  }
  const test = new RegExp(`[${pattern.negated ? "^" : ""}${pattern.body}]`, "iu");
  for (let code = 0; code < others; code += 1) chars[code] = test.test(String.fromCodePoint(code)) ? 1 : 0;
  chars[others] = pattern.negated || /[^ -~]/.test(pattern.body) || pattern.body.includes("\\") ? 1 : 0;
  return chars;
}

function none(): Chars {
  return new Uint8Array(others + 1);
}

function everything(): Chars {
  return none().fill(1);
}

function only(char: string): Chars {
  const chars = none();
  chars[Math.min(char.codePointAt(0) ?? others, others)] = 1;
  return chars;
}

function join(a: Chars, b: Chars): Chars {
  return a.map((value, at) => value | (b[at] ?? 0));
}

function overlap(a: Chars, b: Chars): boolean {
  return a.some((value, at) => value === 1 && b[at] === 1);
}
