import { expect, test } from "vitest";
import { parseRuleDuration } from "./durations.ts";
import { parseRuleSize } from "./sizes.ts";

test.each([
  ["30 days", 2_592_000],
  ["30 DAYS", 2_592_000],
  ["7d", 604_800],
  ["1.5 days", 129_600],
  ["2h30m", 9000],
  ["1 d", 86_400],
  ["1 minute ago", 60],
  ["5minutes", 300],
  ["2 weeks", 1_209_600],
  ["1 month", 2_592_000],
  ["1 year", 31_536_000],
  [604_800, 604_800],
  ["604800", 604_800],
  ["0", 0],
])("the duration %j is %d seconds", (written, seconds) => {
  expect(parseRuleDuration(written)).toBe(seconds);
});

test.each(["", "soon", "d", "7 parsecs", "-1 day", "1..5 days", null, true, [], Number.NaN])(
  "%j is no duration",
  (written) => {
    expect(parseRuleDuration(written)).toBeUndefined();
  },
);

test.each([
  ["4KB", 4000],
  ["4kB", 4000],
  ["4kb", 500],
  ["5mb", 625_000],
  ["2 MiB", 2_097_152],
  ["8kib", 8192],
  ["8Kib", 1024],
  ["1.5G", 1.5e9],
  ["1000", 1000],
  ["8b", 1],
  [700, 700],
])("the size %j is %d bytes", (written, bytes) => {
  expect(parseRuleSize(written)?.bytes).toBe(bytes);
});

test.each(["", "abc", "5XB", "-1 MB", "5iB", null, true, -1])("%j is no size", (written) => {
  expect(parseRuleSize(written)).toBeUndefined();
});

test("bits are noted, because bytes were meant", () => {
  expect(parseRuleSize("700 mb")?.note).toContain('write "700 mB"');
});
