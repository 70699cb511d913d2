import { expect, test } from "vitest";
import { bencode } from "./bencode.ts";

test.each([
  ["an integer", -42, "i-42e"],
  ["an integer beyond 32 bits", 5_000_000_000, "i5000000000e"],
  ["a string by its bytes", "é", "2:é"],
  ["a list", ["a", 1, []], "l1:ai1elee"],
  [
    "a dictionary with its keys in the order of their bytes",
    { b: 1, "a b": 2, B: 3 },
    "d1:Bi3e3:a bi2e1:bi1ee",
  ],
  ["a dictionary without what is undefined", { a: undefined, b: "c" }, "d1:b1:ce"],
])("bencodes %s", (_, value, encoded) => {
  expect(bencode(value).toString()).toBe(encoded);
});

test("sorts binary keys as raw bytes", () => {
  const value = new Map([
    [Buffer.from([0xff]), "last"],
    [Buffer.from([0x7f]), "first"],
  ]);
  expect(bencode(value).toString("latin1")).toBe("d1:\x7f5:first1:\xff4:laste");
});
