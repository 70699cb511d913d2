import { expect, test } from "vitest";
import { type Fault, faultKinds, planFaults } from "./plan-faults.ts";

function firstFaults(seed: number, count: number): Fault[] {
  const plan = planFaults(seed);
  return Array.from({ length: count }, () => plan.next().value);
}

test("the same seed gives the same faults, another one others", () => {
  expect(firstFaults(7, 50)).toEqual(firstFaults(7, 50));
  expect(firstFaults(7, 50)).not.toEqual(firstFaults(8, 50));
});

test("each kind happens once in every five, so fifteen faults are three of each", () => {
  const faults = firstFaults(3, 15);
  for (const kind of faultKinds) expect(faults.filter((fault) => fault.kind === kind)).toHaveLength(3);
});

test("no target of a kind is met again before all others of it", () => {
  const killed = firstFaults(11, 5 * 22).filter(({ kind }) => kind === "kill");
  expect(new Set(killed.slice(0, 11).map(({ target }) => target)).size).toBe(11);
  expect(new Set(killed.slice(11).map(({ target }) => target)).size).toBe(11);
});

test("cuts are of both sorts, clocks jump by minutes and more, nothing is over at once", () => {
  const faults = firstFaults(5, 500);
  expect(Math.min(...faults.map(({ lastsMs }) => lastsMs))).toBeGreaterThanOrEqual(1500);
  const cuts = faults.filter((fault) => fault.kind === "cut");
  expect(new Set(cuts.map(({ how }) => how))).toEqual(new Set(["refuse", "silence"]));
  const jumps = faults.filter((fault) => fault.kind === "clock jump");
  expect(Math.min(...jumps.map(({ byMs }) => Math.abs(byMs)))).toBe(120_000);
});
