import { expect, test } from "vitest";
import { givenIn, keyInBody } from "./given.ts";

test("a query wins over the body, and each name may come more than once", () => {
  const body = { context: "from the body", hash: "a" };
  expect(Object.fromEntries(givenIn({ query: { context: ["x", "y"] }, body }, true))).toEqual({
    context: ["x", "y"],
    hash: ["a"],
  });
  expect([...givenIn({ query: undefined, body }, false)]).toEqual([]);
});

test.each([
  ["a form", new URLSearchParams("key=one&key=two"), "two"],
  ["JSON", { key: "three" }, "three"],
  ["JSON with a key that is none", { key: 3 }, undefined],
  ["JSON without one", { other: "x" }, undefined],
  ["nothing", null, undefined],
  ["a text", "key=four", undefined],
])("the key in %s", (_, body, key) => {
  expect(keyInBody(body)).toBe(key);
});
