/** What bencoding can hold. Strings are UTF-8; dictionaries with binary keys are Maps. */
export type Bencodable =
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Bencodable[]
  | ReadonlyMap<string | Uint8Array, Bencodable>
  | { readonly [key: string]: Bencodable | undefined };

/** Bencodes a value (BEP 3). Entries that are undefined are left out; keys are sorted as raw bytes, as it requires. */
export function bencode(value: Bencodable): Buffer {
  return Buffer.concat([...parts(value)]);
}

function* parts(value: Bencodable): Generator<Uint8Array> {
  if (typeof value === "number" || typeof value === "bigint") yield Buffer.from(`i${BigInt(value)}e`);
  else if (typeof value === "string") yield* byteString(Buffer.from(value));
  else if (value instanceof Uint8Array) yield* byteString(value);
  else if (isList(value)) yield* list(value);
  else yield* dictionary(value instanceof Map ? [...value] : Object.entries(value));
}

function isList(value: Bencodable): value is readonly Bencodable[] {
  return Array.isArray(value);
}

function* byteString(bytes: Uint8Array): Generator<Uint8Array> {
  yield Buffer.from(`${bytes.length}:`);
  yield bytes;
}

function* list(items: readonly Bencodable[]): Generator<Uint8Array> {
  yield Buffer.from("l");
  for (const item of items) yield* parts(item);
  yield Buffer.from("e");
}

function* dictionary(entries: readonly (readonly [string | Uint8Array, Bencodable | undefined])[]) {
  const sorted = entries
    .map(([key, value]) => [Buffer.from(key), value] as const)
    .toSorted(([a], [b]) => Buffer.compare(a, b));
  yield Buffer.from("d");
  for (const [key, value] of sorted) {
    if (value === undefined) continue;
    yield* byteString(key);
    yield* parts(value);
  }
  yield Buffer.from("e");
}
