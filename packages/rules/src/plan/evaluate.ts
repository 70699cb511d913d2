import type { Condition, Group, Leaf, Quantifier } from "../compile/condition.ts";
import { type Field, hasMetadata, type Value } from "../language/field.ts";
import { no, not, pending, type Truth, truthOf, unknown, yes } from "../language/truth.ts";
import type { Subject } from "./subject.ts";

/**
 * Whether a condition holds. Stops at the first item that decides a group, and at the first whose data has to be
 * fetched: what is dearer may not be needed then.
 */
export function evaluate(condition: Condition, subject: Subject): Truth {
  if (condition.kind !== "leaf") return evaluateGroup(condition, subject);
  const { memoAt } = condition;
  if (memoAt === undefined) return ask(condition, subject);
  const known = subject.memo[memoAt];
  if (known !== undefined) return known;
  const answer = ask(condition, subject);
  if (answer !== pending) subject.memo[memoAt] = answer;
  return answer;
}

function evaluateGroup({ kind, items }: Group, subject: Subject): Truth {
  if (kind === "none") return not(some(items, subject));
  return kind === "any" ? some(items, subject) : every(items, subject);
}

function some(items: readonly Condition[], subject: Subject): Truth {
  let answer: Truth = no;
  for (const item of items) {
    const truth = evaluate(item, subject);
    if (truth === yes || truth === pending) return truth;
    if (truth === unknown) answer = unknown;
  }
  return answer;
}

function every(items: readonly Condition[], subject: Subject): Truth {
  let answer: Truth = yes;
  for (const item of items) {
    const truth = evaluate(item, subject);
    if (truth === no || truth === pending) return truth;
    if (truth === unknown) answer = unknown;
  }
  return answer;
}

function ask(leaf: Leaf, subject: Subject): Truth {
  const read = readField(leaf.field, subject);
  if (read === notThere) return unknown;
  if (read === notFetched) return pending;
  if (read === null || read === undefined) return truthOf(leaf.onEmpty);
  if (typeof read !== "object") return leaf.test(read, subject);
  // Only of a program that plays qBittorrent badly.
  return Array.isArray(read) ? askItems(leaf, read, subject) : unknown;
}

const notThere = Symbol("not there");
const notFetched = Symbol("not fetched");

/** The value; or that it is not fetched yet; or that nobody can say what it is. */
export function readField(field: Field, subject: Subject): Value | typeof notThere | typeof notFetched {
  if (field.needsMetadata === true && !hasMetadata(subject.info)) {
    subject.noteNotReady("it has no metadata yet");
    return notThere;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain values, as all of torrents/info
  const inList = field.inList === undefined ? undefined : (subject.info[field.inList] as Value);
  if (inList !== undefined) return inList;
  if (field.source !== "list" && !subject.has(field.source)) return notFetched;
  if (field.source === "files" && subject.part("files")?.length === 0) {
    subject.noteNotReady("its files are not known yet");
    return notThere;
  }
  const value = field.read(subject);
  return value === undefined ? notThere : value;
}

/** What `readField` gives when there is no answer, as a word for people; undefined when there is one. */
export function whyNoValue(value: unknown): "not there" | "not fetched" | undefined {
  if (value === notThere) return "not there";
  return value === notFetched ? "not fetched" : undefined;
}

function askItems(leaf: Leaf, items: readonly (string | number | boolean)[], subject: Subject): Truth {
  const { quantifier, test } = leaf;
  if (items.length === 0) return emptyAnswer(quantifier, leaf.onEmpty);
  let found = 0;
  let open: Truth | undefined;
  for (const item of items) {
    const truth = test(item, subject);
    if (truth === yes) found += 1;
    else if (truth !== no) open = open === pending ? pending : truth;
    if (truth === yes && quantifier.kind === "any") return yes;
    if (truth === no && quantifier.kind === "all") return no;
  }
  if (found > 0 && quantifier.kind === "none") return no;
  if (open !== undefined) return open;
  if (quantifier.kind === "count") return truthOf(quantifier.holds(found));
  if (quantifier.kind === "all") return truthOf(found === items.length);
  return truthOf(found > 0 === (quantifier.kind === "any"));
}

/** `any` and `all` of nothing are what the operator says of null; `none` and `count` are counted. */
function emptyAnswer(quantifier: Quantifier, onEmpty: boolean): Truth {
  if (quantifier.kind === "count") return truthOf(quantifier.holds(0));
  return quantifier.kind === "none" ? yes : truthOf(onEmpty);
}
