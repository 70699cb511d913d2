import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration, type DurationUnit } from "./duration.ts";

describe("parseDuration", () => {
  test.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["5min", 300_000],
    ["1h30m", 5_400_000],
    ["1h 30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["7d", 604_800_000],
    ["30 days", 2_592_000_000],
    ["2 Weeks", 1_209_600_000],
    ["0", 0],
  ])("reads %s as %i ms", (text, ms) => {
    expect(parseDuration(text, "s")).toEqual({ ok: true, value: ms });
  });

  test.each([
    ["ms", 250],
    ["s", 250_000],
    ["min", 15_000_000],
    ["h", 900_000_000],
    ["d", 21_600_000_000],
  ] as const)("takes a bare 250 in the unit of the setting: %s", (unit, ms) => {
    expect(parseDuration("250", unit)).toEqual({ ok: true, value: ms });
  });

  test("takes a number as Helm renders it", () => {
    expect(parseDuration("1e+06", "s")).toEqual({ ok: true, value: 1_000_000_000 });
  });

  test.each(["", "abc", "-5s", "5 parsecs", "s", "1h30", "1..5s", "Infinity", "0x10", "5s,", "1e-3"])(
    "refuses %j",
    (text) => {
      expect(parseDuration(text, "s").ok).toBe(false);
    },
  );

  test("refuses what is too long for exact arithmetic", () => {
    expect(parseDuration("999999999999d", "s")).toEqual({ ok: false, problem: "is too long" });
  });

  test("answers any text with a value or a problem", () => {
    const unit = fc.constantFrom<DurationUnit>("ms", "s", "min", "h", "d");
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[\d. a-zA-Z]*$/));
    fc.assert(
      fc.property(text, unit, (written, bareUnit) => {
        const reading = parseDuration(written, bareUnit);
        return reading.ok
          ? Number.isSafeInteger(reading.value) && reading.value >= 0
          : reading.problem !== "";
      }),
    );
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0s"],
    [1500, "1500ms"],
    [90_000, "90s"],
    [600_000, "10m"],
    [604_800_000, "7d"],
  ])("writes %i ms as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test("is read back as the same duration", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.maxSafeNat(),
          fc.nat(10_000).map((count) => count * 60_000),
        ),
        (ms) => {
          expect(parseDuration(formatDuration(ms), "s")).toEqual({ ok: true, value: ms });
        },
      ),
    );
  });
});
