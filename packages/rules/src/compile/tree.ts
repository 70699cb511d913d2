import type { Place } from "./problem.ts";

/** A YAML document without the syntax: what is written, and where. */
export type Tree = MapTree | ListTree | ScalarTree;
export type MapTree = { readonly kind: "map"; readonly at: Place; readonly entries: readonly Entry[] };
type ListTree = { readonly kind: "list"; readonly at: Place; readonly items: readonly Tree[] };
export type ScalarTree = {
  readonly kind: "scalar";
  readonly at: Place;
  readonly value: string | number | boolean | null;
};
export type Entry = { readonly key: string; readonly at: Place; readonly value: Tree };

export function entry(tree: MapTree, key: string): Entry | undefined {
  return tree.entries.find((candidate) => candidate.key === key);
}

export function isNull(tree: Tree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}

/** The value a program would see. */
export function plain(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree.value;
  if (tree.kind === "list") return tree.items.map(plain);
  return Object.fromEntries(tree.entries.map(({ key, value }) => [key, plain(value)]));
}

/** What it is, for messages: `a list`, `the text "7d"`. */
export function describe(tree: Tree): string {
  if (tree.kind === "map") return "a mapping";
  if (tree.kind === "list") return "a list";
  if (tree.value === null) return "nothing";
  const value = JSON.stringify(tree.value);
  return typeof tree.value === "string" ? `the text ${value.slice(0, 80)}` : value;
}
