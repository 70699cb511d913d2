import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const names = ["--qbit-url", "--qbit-user", "--once", "--sync-interval"];

test.each([
  ["--qbit-ulr", "--qbit-url"],
  ["--qbit_url", "--qbit-url"],
  ["--QBIT-URL", "--qbit-url"],
  ["--qbit-usre", "--qbit-user"],
  ["--onse", "--once"],
  ["--syncintervall", "--sync-interval"],
])("%s is a slip of %s", (word, name) => {
  expect(nearest(word, names)).toBe(name);
});

test.each(["--verbose", "-x", ""])("%j is like none of the names", (word) => {
  expect(nearest(word, names)).toBeUndefined();
});
