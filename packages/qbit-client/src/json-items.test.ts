import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonItems } from "./json-items.ts";

function split(text: string, cuts: readonly number[] = []): { items: unknown[]; isWhole: boolean } {
  const items: unknown[] = [];
  const splitter = new JsonItems((item) => items.push(JSON.parse(item)));
  const bytes = Buffer.from(text);
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  let from = 0;
  for (const to of [...ends, bytes.length]) {
    splitter.push(bytes.subarray(from, to));
    from = to;
  }
  return { items, isWhole: splitter.isWhole };
}

test("however a list is cut into pieces, and whatever stands in its texts, it is read as JSON.parse would", () => {
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom("},{", ']"', "\\", '\\"', "☃", "[{", "𝄞"));
  const list = fc.array(fc.dictionary(fc.string(), value));
  fc.assert(
    fc.property(list, fc.array(fc.nat()), fc.constantFrom(undefined, 2), (items, cuts, indent) => {
      const text = JSON.stringify(items, null, indent);
      expect(split(text, cuts)).toEqual({ items: JSON.parse(text), isWhole: true });
    }),
    { numRuns: 500 },
  );
});

describe("a list is whole only if it", () => {
  test.each([
    ["has ended", '[{"a":1}', 1],
    ["has ended all of its items", '[{"a":1},{"b":[1]', 1],
    ["is a list", '{"a":1}', 0],
    ["is not a list of lists", "[[1]]", 0],
    ["has only objects in it", '[{"a":1},2]', 1],
    ["is all there is", '[{"a":1}][{"b":1}]', 1],
    ["is there", "", 0],
    ["is not something else", "Fails.", 0],
  ])("%s: %s", (_, text, found) => {
    const { items, isWhole } = split(text);
    expect([items.length, isWhole]).toEqual([found, false]);
  });
});
