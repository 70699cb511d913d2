import { expect, test } from "vitest";
import { JobIds } from "./job-ids.ts";

test("ids sort as they were made, in one millisecond, over many, and when the clock is set back", () => {
  const times = [...Array.from({ length: 10_000 }, () => 1_000), 1_001, 5_000, 4_000, 4_000, 6_000];
  let at = 0;
  const ids = new JobIds(() => times[at++] ?? 0);
  const made = times.map(() => ids.next());
  expect(made.toSorted()).toEqual(made);
  expect(new Set(made).size).toBe(made.length);
  for (const id of made.slice(0, 20))
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/u);
});
