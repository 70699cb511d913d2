import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";
import type { Place, Problems } from "./problem.ts";
import type { Entry, Tree } from "./tree.ts";

/** Aliases of aliases can make a small file huge; no rules file has so many values. */
const mostNodes = 200_000;
/** Characters: no rules file is so long, and reading one would take more memory than running it. */
const longest = 2_000_000;
const deepest = 200;
const mostErrors = 20;

/** Reads YAML; undefined when it is none, with the reasons among the problems. An empty file is null. */
export function readYaml(text: string, problems: Problems): Tree | undefined {
  if (text.length > longest)
    return problems.error({ line: 1, column: 1 }, `the file is longer than ${longest} characters`);
  const lines = new LineCounter();
  const document = parse(text, lines);
  if (document === undefined)
    return problems.error({ line: 1, column: 1 }, "this is not understood as YAML: nested too deep");
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  // One mistake can make the parser stumble a thousand times.
  for (const { message, pos } of document.errors.slice(0, mostErrors))
    problems.error(place(pos[0]), `this is not understood as YAML: ${message.replace(/\n[^]*/, "")}`);
  if (document.errors.length > 0) return undefined;
  return new Reader(document, place, problems).read(document.contents);
}

/** Undefined when it is nested too deep: the parser is recursive, and tells of the end of its stack in two ways. */
function parse(text: string, lineCounter: LineCounter): Document.Parsed | undefined {
  try {
    const document = parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      merge: true,
      // The parser compares each key with each: minutes for a file of a megabyte. The reader looks as well.
      uniqueKeys: false,
      logLevel: "error",
    });
    return document.errors.some(({ message }) => message.includes("call stack")) ? undefined : document;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

class Reader {
  readonly #document: Document.Parsed;
  readonly #place: (offset: number) => Place;
  readonly #problems: Problems;
  #nodes = 0;

  constructor(document: Document.Parsed, place: (offset: number) => Place, problems: Problems) {
    this.#document = document;
    this.#place = place;
    this.#problems = problems;
  }

  read(node: unknown): Tree | undefined {
    const tree = this.#node(node, 0, { line: 1, column: 1 });
    return this.#nodes > mostNodes ? undefined : tree;
  }

  #node(value: unknown, depth: number, fallback: Place): Tree {
    this.#nodes += 1;
    const at = this.#placeOf(value, fallback);
    if (this.#nodes > mostNodes || depth > deepest) {
      if (this.#nodes <= mostNodes) this.#nodes = mostNodes + 1;
      if (this.#problems.errors === 0)
        this.#problems.error(at, "the file holds too much, or is nested too deep");
      return { kind: "scalar", at, value: null };
    }
    if (isAlias(value)) return this.#node(value.resolve(this.#document) ?? null, depth + 1, at);
    if (isMap(value)) return { kind: "map", at, entries: this.#entries(value.items, depth, at) };
    if (isSeq(value))
      return { kind: "list", at, items: value.items.map((item) => this.#node(item, depth + 1, at)) };
    return { kind: "scalar", at, value: isScalar(value) ? this.#scalar(value.value) : null };
  }

  #scalar(value: unknown): string | number | boolean | null {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
    return value instanceof Date || typeof value === "bigint" ? String(value) : null;
  }

  #entries(pairs: readonly { key: unknown; value: unknown }[], depth: number, around: Place): Entry[] {
    const own = new Map<string, Entry>();
    const merged: Entry[] = [];
    for (const pair of pairs) {
      const at = this.#placeOf(pair.key, around);
      const key = isScalar(pair.key) ? pair.key.value : undefined;
      if (!isScalar(pair.key) || typeof key === "object") {
        if (pair.key !== null) this.#problems.error(at, "a key has to be a word");
        continue;
      }
      const value = this.#node(pair.value, depth + 1, at);
      // The parser gives the merge key as a symbol, and the same word in quotes as a text.
      if (typeof key === "symbol") {
        for (const tree of value.kind === "list" ? value.items : [value])
          if (tree.kind === "map") for (const inherited of tree.entries) merged.push(inherited);
        continue;
      }
      const word = typeof key === "string" ? key : JSON.stringify(key);
      if (own.has(word))
        this.#problems.error(at, `this is not understood as YAML: the key ${word} is there twice`);
      own.set(word, { key: word, at, value });
    }
    for (const inherited of merged) if (!own.has(inherited.key)) own.set(inherited.key, inherited);
    return [...own.values()];
  }

  #placeOf(value: unknown, fallback: Place): Place {
    const range = isNode(value) ? value.range : undefined;
    return range === undefined || range === null ? fallback : this.#place(range[0]);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "range" in value;
}
