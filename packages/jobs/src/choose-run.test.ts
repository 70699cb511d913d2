import fc from "fast-check";
import { expect, test } from "vitest";
import { type Candidate, chooseRun } from "./choose-run.ts";

const job = fc
  .record({
    context: fc.constantFrom(null, "a", "b"),
    hash: fc.constantFrom(null, "1", "2", "3", "4"),
    dryRun: fc.boolean(),
    trace: fc.boolean(),
    interrupted: fc.constantFrom(0, 0, 0, 1, 2),
  })
  .map((asked): Candidate => ({ id: "", ...asked }));
const queue = fc
  .array(job, { maxLength: 20 })
  .map((jobs) => jobs.map((each, at) => ({ ...each, id: `${at}` })));
const covers = (one: Candidate, other: Candidate) =>
  one.hash === null || other.hash === null || one.hash === other.hash;

test("the oldest job is always chosen, and nobody overtakes an older job about the same torrent", () => {
  fc.assert(
    fc.property(queue, fc.integer({ min: 1, max: 5 }), (jobs, most) => {
      const chosen = chooseRun(jobs, most);
      expect(chosen[0]).toBe(jobs[0]);
      expect(chosen.length).toBeLessThanOrEqual(most);
      const left = jobs.filter((each) => !chosen.includes(each));
      for (const one of chosen)
        for (const older of left.filter(({ id }) => Number(id) < Number(one.id)))
          expect(covers(older, one), JSON.stringify([older, one])).toBe(false);
    }),
  );
});

test("all of a run ask the same, and what was lost twice is alone", () => {
  fc.assert(
    fc.property(queue, (jobs) => {
      const chosen = chooseRun(jobs, 500);
      const asks = chosen.map(({ context, dryRun, trace, hash }) =>
        JSON.stringify([context, dryRun, trace, hash === null]),
      );
      expect(new Set(asks).size).toBeLessThanOrEqual(1);
      expect(chosen.length <= 1 || chosen.every(({ interrupted }) => interrupted < 2)).toBe(true);
    }),
  );
});

test("a storm of webhooks of one context is one run", () => {
  const storm = Array.from({ length: 500 }, (_, n) => ({
    id: `${n}`,
    context: "on_added",
    hash: `${n}`,
    dryRun: false,
    trace: false,
    interrupted: 0,
  }));
  expect(chooseRun(storm, 500)).toHaveLength(500);
  expect(chooseRun([], 500)).toEqual([]);
});
