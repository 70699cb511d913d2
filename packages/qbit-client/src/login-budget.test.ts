import fc from "fast-check";
import { expect, test } from "vitest";
import { LoginBudget } from "./login-budget.ts";

test("whatever happens, the server never counts five failures in one life", () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 1e9 }),
    changed: fc.boolean(),
    arrives: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const budget = new LoginBudget();
      let [now, failures] = [0, 0];
      for (const { waitMs, changed, arrives } of steps) {
        now += waitMs;
        if (budget.waitMs(now, changed) > 0) continue;
        budget.spend(now);
        if (arrives) failures += 1;
        else budget.refund();
      }
      expect(failures).toBeLessThan(5);
    }),
  );
});

test("the waits are none, half a minute, an hour and a day; then none helps", () => {
  const budget = new LoginBudget();
  const waits = Array.from({ length: 5 }, (_, index) => {
    const wait = budget.waitMs(index, false);
    budget.spend(index);
    return Math.round(wait / 1000);
  });
  expect(waits).toEqual([0, 30, 3600, 86_400, Infinity]);
});

test("a success makes everything good", () => {
  const budget = new LoginBudget();
  for (let index = 0; index < 4; index += 1) budget.spend(0);
  budget.renew();
  expect(budget.waitMs(0, false)).toBe(0);
});
