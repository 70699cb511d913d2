import { afterEach, describe, expect, test, vi } from "vitest";
import { tempDir } from "../temp-dir.ts";
import { isMissing } from "./server-at-hand.ts";

describe("a server that cannot be had", () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("is skipped on a person's machine, who is told why and what to do", async () => {
    await using empty = await tempDir();
    const told = vi.spyOn(console, "error").mockReturnValue();
    expect(await isMissing("Redis", { PATH: empty.path })).toBe(true);
    expect(told).toHaveBeenCalledExactlyOnceWith(
      expect.stringMatching(/SKIPPING TESTS: Redis cannot be had: set QBIT_SIDECARS_REDIS/),
    );
  });

  test("is a failure in CI", async () => {
    await using empty = await tempDir();
    await expect(isMissing("Redis", { PATH: empty.path, CI: "true" })).rejects.toThrow("Redis cannot be had");
  });

  test("is not missing when a variable names it", async () => {
    expect(await isMissing("Redis", { QBIT_SIDECARS_REDIS: process.execPath })).toBe(false);
  });
});
