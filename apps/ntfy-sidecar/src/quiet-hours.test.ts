import { afterEach, expect, test, vi } from "vitest";
import { isQuiet, parseQuietHours } from "./quiet-hours.ts";

const at = (hour: number, minute = 0) => new Date(2026, 0, 1, hour, minute).getTime();

test.each([
  ["22:00-07:00", 23, true],
  ["22:00-07:00", 6, true],
  ["22:00-07:00", 7, false],
  ["22:00-07:00", 21, false],
  ["09:30-17:00", 9, false],
  ["09:30-17:00", 12, true],
])("with %s, %i:00 being quiet is %s", (text, hour, quiet) => {
  expect(isQuiet(parseQuietHours(text), at(hour))).toBe(quiet);
});

test("what is no span is none", () => {
  for (const text of ["", "22-7", "24:00-07:00", "22:00", "07:00-07:00"])
    expect(parseQuietHours(text)).toBeUndefined();
  expect(isQuiet(undefined, at(3))).toBe(false);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

// Europe/Berlin: 02:00 becomes 03:00 on 29 March 2026, and 03:00 becomes 02:00 on 25 October.
test.each([
  ["22:00-07:00", "2026-03-29T00:59:00Z", true],
  ["22:00-07:00", "2026-03-29T04:59:00Z", true],
  ["22:00-07:00", "2026-03-29T05:00:00Z", false],
  ["22:00-07:00", "2026-10-25T05:59:00Z", true],
  ["22:00-07:00", "2026-10-25T06:00:00Z", false],
  ["02:00-03:00", "2026-03-29T01:00:00Z", false],
  ["02:30-07:00", "2026-03-29T01:00:00Z", true],
  ["02:00-03:00", "2026-10-25T00:30:00Z", true],
  ["02:00-03:00", "2026-10-25T01:30:00Z", true],
])("in Berlin, with %s, %s being quiet is %s: the clock on the wall counts", (text, time, quiet) => {
  vi.stubEnv("TZ", "Europe/Berlin");
  expect(isQuiet(parseQuietHours(text), Date.parse(time))).toBe(quiet);
});
