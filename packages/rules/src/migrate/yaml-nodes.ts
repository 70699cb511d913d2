import { isMap, isScalar, isSeq, type Pair, Scalar, YAMLMap, type YAMLSeq } from "yaml";

/** What an edit of a rules file needs of the parser's tree, which keeps comments and places. */
export type MapNode = YAMLMap;
export type ListNode = YAMLSeq;

export function pairOf(map: MapNode, key: string): Pair | undefined {
  return map.items.find((pair) => keyOf(pair) === key);
}

export function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : "";
}

export function mapAt(map: MapNode, key: string): MapNode | undefined {
  const value = pairOf(map, key)?.value;
  return isMap(value) ? value : undefined;
}

export function listAt(map: MapNode, key: string): ListNode | undefined {
  const value = pairOf(map, key)?.value;
  return isSeq(value) ? value : undefined;
}

/** The plain value under a key; undefined when there is none, or no plain one. */
export function valueAt(map: MapNode, key: string): unknown {
  const value = pairOf(map, key)?.value;
  return isScalar(value) ? value.value : undefined;
}

/** Gives a scalar another value, in its place and with its comment. */
export function setValue(map: MapNode, key: string, value: unknown): void {
  const found = pairOf(map, key)?.value;
  if (!isScalar(found)) return map.set(key, value);
  found.value = value;
  delete found.source;
  if (typeof value === "string") found.type = Scalar.QUOTE_DOUBLE;
}

/** Gives a key another name, in its place. */
export function renameKey(map: MapNode, key: string, name: string): void {
  const found = pairOf(map, key)?.key;
  if (isScalar(found)) found.value = name;
}

export function offsetOf(node: unknown): number | undefined {
  if (isScalar(node) || isMap(node) || isSeq(node)) return node.range?.[0];
  return undefined;
}

export function mapsOf(list: ListNode | undefined): MapNode[] {
  return (list?.items ?? []).filter((item): item is MapNode => isMap(item));
}
