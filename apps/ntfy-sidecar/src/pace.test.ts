import { describe, expect, test } from "vitest";
import { Pace } from "./pace.ts";

const start = Date.UTC(2026, 0, 1, 12);
const limits = { burst: 60, refillMs: 5000, daily: 0 };

test("what matters may use the whole burst, then one for each refill", () => {
  const pace = new Pace(limits, { nowMs: start });
  for (let n = 0; n < 60; n += 1) {
    expect(pace.waitMs("important", start)).toBe(0);
    pace.take(start);
  }
  expect(pace.waitMs("important", start)).toBe(5000);
  expect(pace.waitMs("important", start + 4000)).toBe(1000);
  expect(pace.waitMs("important", start + 5000)).toBe(0);
});

test("progress leaves half of the burst, and a fifth of the day", () => {
  const pace = new Pace({ ...limits, daily: 50 }, { nowMs: start });
  let sent = 0;
  while (pace.waitMs("progress", start) === 0) {
    pace.take(start);
    sent += 1;
  }
  expect(sent).toBe(30);
  const later = start + 3_600_000;
  for (let n = 0; n < 10; n += 1) pace.take(later);
  expect(pace.waitMs("progress", later)).toBe(11 * 3_600_000);
  expect(pace.waitMs("important", later)).toBe(0);
});

test("the count of the day is kept across restarts and begins anew at midnight UTC, as ntfy's does", () => {
  const today = { day: "2026-01-01", sent: 249 };
  const pace = new Pace({ ...limits, daily: 250 }, { nowMs: start, today });
  expect(pace.waitMs("progress", start)).toBe(12 * 3_600_000);
  expect(pace.waitMs("progress", start + 12 * 3_600_000)).toBe(0);
});

describe("a refusal", () => {
  test("is waited for ever longer, and forgotten when ntfy takes one again", () => {
    const pace = new Pace(limits, { nowMs: start });
    expect(pace.refused({ reason: "requests" }, start)).toBe(5000);
    expect(pace.refused({ reason: "requests" }, start + 5000)).toBe(10_000);
    expect(pace.waitMs("important", start + 5000)).toBe(10_000);
    pace.accepted();
    expect(pace.refused({ reason: "requests" }, start + 20_000)).toBe(5000);
  });

  test("of the day's quota is looked at again every quarter of an hour; a time that a proxy names is kept", () => {
    const pace = new Pace(limits, { nowMs: start });
    expect(pace.refused({ reason: "quota" }, start)).toBe(900_000);
    expect(pace.refused({ reason: "requests", retryAfterMs: 3_600_000 }, start)).toBe(3_600_000);
  });
});

test("a clock that is set back stops nothing for long", () => {
  const pace = new Pace({ ...limits, burst: 1 }, { nowMs: start });
  pace.take(start);
  expect(pace.waitMs("important", start - 3_600_000)).toBe(5000);
});
