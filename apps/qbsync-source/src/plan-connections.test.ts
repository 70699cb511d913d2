import { expect, test } from "vitest";
import { ConnectionPlanner } from "./plan-connections.ts";

const bounds = { min: 2, max: 8 };

/** Where the planner ends up when `carry(connections)` is what so many carry. */
function settle(carry: (count: number) => number, steps = 40): number[] {
  const planner = new ConnectionPlanner(bounds);
  const counts: number[] = [];
  let count = bounds.min;
  for (let step = 0; step < steps; step += 1) {
    count = planner.next({ bytesPerSecond: carry(count), isSaturated: true, nowMs: step * 5000 });
    counts.push(count);
  }
  return counts;
}

test("takes as many connections as carry more, and no more than allowed", () => {
  expect(settle((count) => count * 10).at(-1)).toBe(8);
});

test("stays near the number at which the link is full", () => {
  const counts = settle((count) => Math.min(count, 4) * 10);
  expect(counts.at(-1)).toBeLessThanOrEqual(6);
  expect(counts.filter((count) => count === 5).length).toBeGreaterThan(counts.length / 2);
});

test("gives those that are new the time that TCP needs on a long way to get going", () => {
  const planner = new ConnectionPlanner(bounds);
  let [count, since] = [bounds.min, 0];
  const counts: number[] = [];
  for (let nowMs = 0; nowMs <= 60_000; nowMs += 5000) {
    // Of a connection's 10, nothing comes through in its first 5 seconds.
    const settled = nowMs - since > 5000 ? count : (counts.at(-2) ?? bounds.min);
    const next = planner.next({ bytesPerSecond: settled * 10, isSaturated: true, nowMs });
    if (next !== count) since = nowMs;
    count = next;
    counts.push(count);
  }
  expect(counts.at(-1)).toBe(8);
});

test("keeps to the least when one is enough", () => {
  expect(Math.max(...settle(() => 10))).toBe(3);
});

test("goes back to the least when there is nothing to send", () => {
  const planner = new ConnectionPlanner(bounds);
  planner.next({ bytesPerSecond: 10, isSaturated: true, nowMs: 0 });
  planner.next({ bytesPerSecond: 20, isSaturated: true, nowMs: 5000 });
  expect(planner.next({ bytesPerSecond: 0, isSaturated: false, nowMs: 10_000 })).toBe(2);
});
