import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatSize, parseSize, type SizeUnit } from "./size.ts";

describe("parseSize", () => {
  test.each([
    ["0", 0],
    ["1024B", 1024],
    ["50GB", 50_000_000_000],
    ["50 gb", 50_000_000_000],
    ["1.5M", 1_500_000],
    ["512MiB", 536_870_912],
    ["50Gi", 53_687_091_200],
    ["1k", 1000],
    ["1Ki", 1024],
    ["2TB", 2_000_000_000_000],
  ])("reads %s as %i bytes", (text, bytes) => {
    expect(parseSize(text, "B")).toEqual({ ok: true, value: bytes });
  });

  test.each([
    ["B", 50],
    ["MB", 50_000_000],
    ["GB", 50_000_000_000],
    ["GiB", 53_687_091_200],
  ] as const)("takes a bare 50 in the unit of the setting: %s", (unit, bytes) => {
    expect(parseSize("50", unit)).toEqual({ ok: true, value: bytes });
  });

  test.each(["", "GB", "-1", "1XB", "1 GB GB", "1,5GB", "0x10"])("refuses %j", (text) => {
    expect(parseSize(text, "B").ok).toBe(false);
  });

  test("answers any text with a value or a problem", () => {
    const unit = fc.constantFrom<SizeUnit>("B", "kB", "GB", "TiB");
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[\d.]* ?[a-zA-Z]*$/));
    fc.assert(
      fc.property(text, unit, (written, bareUnit) => {
        const reading = parseSize(written, bareUnit);
        return reading.ok
          ? Number.isSafeInteger(reading.value) && reading.value >= 0
          : reading.problem !== "";
      }),
    );
  });
});

describe("formatSize", () => {
  test.each([
    [0, "0B"],
    [1, "1B"],
    [50_000_000_000, "50GB"],
    [536_870_912, "512MiB"],
  ])("writes %i bytes as %s", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test("is read back as the same size", () => {
    const sizes = fc.oneof(
      fc.maxSafeNat(),
      fc.nat(5000).map((count) => count * 1024 ** 3),
      fc.nat(5000).map((count) => count * 1000 ** 3),
    );
    fc.assert(
      fc.property(sizes, (bytes) => {
        expect(parseSize(formatSize(bytes), "MB")).toEqual({ ok: true, value: bytes });
      }),
    );
  });
});
