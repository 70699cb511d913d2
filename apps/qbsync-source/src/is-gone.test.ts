import { expect, test } from "vitest";
import { isGoneHere } from "./is-gone.ts";

const unseen = { tracked: undefined, isLoaded: true, now: 10_000, goneForMs: 5000 };

test("what it never saw is another's as long as it has no name, however long the list has been whole", () => {
  expect(isGoneHere({ ...unseen, sourceName: "" })).toBe(false);
  expect(isGoneHere({ ...unseen, sourceName: "seedbox" })).toBe(true);
  expect(isGoneHere({ ...unseen, sourceName: "seedbox", isLoaded: false })).toBe(false);
});

test("what it saw is gone when it has not been listed for long enough, with a name or without", () => {
  for (const sourceName of ["", "seedbox"]) {
    const seen = { ...unseen, sourceName };
    expect(isGoneHere({ ...seen, tracked: { goneSince: 5000 } })).toBe(true);
    expect(isGoneHere({ ...seen, tracked: { goneSince: 5001 } })).toBe(false);
    expect(isGoneHere({ ...seen, tracked: {} })).toBe(false);
  }
});
