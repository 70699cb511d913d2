import { expect, test } from "vitest";
import { choose } from "./benchmarks.ts";
import type { Row } from "./figures.ts";
import { runBenchmarks, summary } from "./run-benchmarks.ts";

const row: Row = { figure: "a", value: "1 ms", baseline: "", ratio: "", aim: "" };

test("one that fails is told of, and the others are measured and kept all the same", async () => {
  const [lines, kept]: [string[], string[]] = [[], []];
  const outcomes = await runBenchmarks(
    [
      ["first", async () => [row]],
      ["broken", async () => await Promise.reject(new Error("no server"))],
      ["last", async () => [row, row]],
    ],
    {
      tell: (line) => lines.push(line),
      onRows: async (name, rows) => void kept.push(`${name} ${rows.length}`),
    },
  );
  expect(kept).toEqual(["first 1", "last 2"]);
  expect(lines.find((line) => line.includes("FAILED"))).toMatch(
    /^broken FAILED after [\d.]+ s: Error: no server/u,
  );
  expect(summary(outcomes)).toMatch(/ s {2}broken {2}FAILED\n[^]* in all; failed: broken$/u);
});

test("figures that cannot be written down are a failure of that benchmark alone", async () => {
  const outcomes = await runBenchmarks(
    [
      ["first", async () => [row]],
      ["last", async () => [row]],
    ],
    {
      tell: () => {},
      onRows: async (name) => {
        if (name === "first") throw new Error("no space left on device");
        await Promise.resolve();
      },
    },
  );
  expect(outcomes.map((outcome) => "error" in outcome)).toEqual([true, false]);
});

test("a name alone is that benchmark; a word is all whose names hold it; another is refused", () => {
  const names = ["rules", "rules-memory", "images"];
  expect(choose(names, [])).toEqual(names);
  expect(choose(names, ["rules"])).toEqual(["rules"]);
  expect(choose(names, ["memory", "images"])).toEqual(["rules-memory", "images"]);
  expect(choose(names, ["images", "rulez"])).toEqual({ unknown: "rulez" });
});
