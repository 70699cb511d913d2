import { expect, test } from "vitest";
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
