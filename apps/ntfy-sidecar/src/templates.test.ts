import { describe, expect, test } from "vitest";
import { fill, formatBytes, formatEta, formatSpeed, progressBar, templateProblem } from "./templates.ts";

const download = {
  id: "a".repeat(40),
  name: "{eta} & Größe 日本",
  category: "tv",
  tags: ["a", "b"],
  sizeBytes: 1_500_000_000,
  percent: 45,
  speedBytes: 1_572_864,
  etaSeconds: 125,
  state: "downloading",
  path: "/data/x",
};

describe("as the document has it", () => {
  test.each([
    [0, "[░░░░░░░░░░]"],
    [4, "[░░░░░░░░░░]"],
    [5, "[█░░░░░░░░░]"],
    [14, "[█░░░░░░░░░]"],
    [15, "[██░░░░░░░░]"],
    [50, "[█████░░░░░]"],
    [94, "[█████████░]"],
    [95, "[██████████]"],
    [100, "[██████████]"],
    [130, "[██████████]"],
  ])("the bar of %i %% is %s", (percent, bar) => {
    expect(progressBar(percent)).toBe(bar);
  });

  test.each([
    [0, "0s"],
    [59, "59s"],
    [60, "1m0s"],
    [125, "2m5s"],
    [3600, "1h0m0s"],
    [3723, "1h2m3s"],
    [360_000, "100h0m0s"],
    [8_639_999, "2399h59m59s"],
    [8_640_000, "∞"],
    [9_999_999, "∞"],
  ])("an ETA of %i s is %s", (seconds, text) => {
    expect(formatEta(seconds)).toBe(text);
  });

  test.each([
    [0, "0.0 MB/s"],
    [1_048_576, "1.0 MB/s"],
    [1_572_864, "1.5 MB/s"],
  ])("a speed of %i bytes/s is %s", (bytes, text) => {
    expect(formatSpeed(bytes)).toBe(text);
  });
});

test("a template is filled in once: braces in a name stay", () => {
  expect(fill("{name}\\n{percent} {bar} {eta} {size} {tags}", download)).toBe(
    "{eta} & Größe 日本\n45% [█████░░░░░] 2m5s 1.5 GB a, b",
  );
  expect(fill("https://x/{name}", download, encodeURIComponent)).toBe(
    "https://x/%7Beta%7D%20%26%20Gr%C3%B6%C3%9Fe%20%E6%97%A5%E6%9C%AC",
  );
});

test("a placeholder nobody knows is a fault of the settings", () => {
  expect(templateProblem("{name} {nmae}")).toBe("{nmae} is not known");
  expect(templateProblem("{name} {hash}")).toBeUndefined();
});

test("sizes are told in the unit that suits them", () => {
  expect([-1, 0, 999, 1000, 1_234_000_000].map(formatBytes)).toEqual([
    "unknown",
    "0 B",
    "999 B",
    "1.0 kB",
    "1.2 GB",
  ]);
});
