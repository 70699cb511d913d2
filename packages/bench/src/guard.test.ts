import { describe, expect, test } from "vitest";
import type { Row } from "./figures.ts";
import { accept, bestOf, betterOf, compare, isBad, ratioOf, tell, toleranceOf } from "./guard.ts";
import type { Measured } from "./measured.ts";

function row(fields: Partial<Row> = {}): Row {
  return { figure: "a", value: "10 ms", baseline: "5.0 ms bare", ratio: "2.0×", aim: "", ...fields };
}

function measured(...rows: Row[]): Measured {
  return { one: { date: "2026-11-28", machine: "m", versions: "v", rows } };
}

test.each([
  ["2.0×", 2],
  ["0.053×", 0.053],
  ["10× as fast", 10],
  ["1,234×", 1234],
  ["53 %", 0.53],
  ["", undefined],
  ["0×", undefined],
  ["fast", undefined],
])("the ratio %j is %d", (ratio, value) => {
  expect(ratioOf(row({ ratio }))).toBe(value);
});

test.each([
  [{}, "lower"],
  [{ aim: "≥ 0.7×" }, "higher"],
  [{ aim: "≤ 50 ms", value: "3 jobs/s" }, "lower"],
  [{ ratio: "10× as fast" }, "higher"],
  [{ ratio: "53 %" }, "higher"],
  [{ value: "298 MB/s" }, "higher"],
  [{ value: "0.5/s" }, "lower"],
  [{ value: "298 MB/s", better: "lower" }, "lower"],
] as const)("of %j the %s ratio is the better one", (fields, better) => {
  expect(betterOf(row(fields))).toBe(better);
});

test("sizes may grow a little, memory somewhat, times more, and the worst of them most", () => {
  const figures = [
    "port-sync: bundle, gzip",
    "image of a: its own layers",
    "image of a: memory idle",
    "a: p50",
    "a: p99 of 300",
  ];
  expect(figures.map((figure) => toleranceOf(row({ figure })))).toEqual([1.1, 1.1, 1.25, 1.6, 2.5]);
  expect(toleranceOf(row({ tolerance: 3 }))).toBe(3);
});

describe("compare", () => {
  const accepted = accept({}, measured(row()));

  test("a ratio within its tolerance is the same, whatever the seconds are", () => {
    const [finding] = compare(accepted, measured(row({ value: "900 ms", ratio: "3.1×" })));
    expect(finding?.kind).toBe("same");
  });

  test("one that got worse is told of by its name, and by how much", () => {
    const findings = compare(accepted, measured(row({ value: "20 ms", ratio: "4.0×" })));
    expect(findings.map(tell)).toEqual([
      "one: a: ratio 2 → 4, 2.00 times worse, 1.6 is allowed (20 ms beside 5.0 ms bare)",
    ]);
    expect(findings.every(isBad)).toBe(true);
  });

  test("where the higher one is better, worse is the other way round", () => {
    const fast = accept({}, measured(row({ ratio: "10× as fast" })));
    expect(compare(fast, measured(row({ ratio: "5× as fast" })))[0]?.kind).toBe("worse");
    expect(compare(fast, measured(row({ ratio: "40× as fast" })))[0]?.kind).toBe("better");
  });

  test("what is new is no fault; what is gone, or has lost its baseline, is one", () => {
    const other = row({ figure: "b" });
    expect(compare(accepted, measured(row(), other)).map(({ kind }) => kind)).toEqual(["same", "new"]);
    expect(compare(accepted, measured(other)).map(({ kind }) => kind)).toEqual(["new", "gone"]);
    expect(compare(accepted, measured(row({ ratio: "" }))).map(isBad)).toEqual([true]);
  });

  test("benchmarks that were not run are not missed", () => {
    expect(compare(accepted, {})).toEqual([]);
  });
});

describe("accept", () => {
  test("keeps what was not measured, and the tolerance that somebody wrote", () => {
    const before = {
      one: { a: { ratio: 2, better: "lower", tolerance: 9 } },
      two: { c: { ratio: 1, better: "higher", tolerance: 2 } },
    } as const;
    expect(accept(before, measured(row({ ratio: "7.5×" }), row({ figure: "b", ratio: "" })))).toEqual({
      one: { a: { ratio: 7.5, better: "lower", tolerance: 9 } },
      two: before.two,
    });
  });
});

test("of two measurements each row has its better ratio", () => {
  const first = measured(row({ ratio: "4.0×" }), row({ figure: "b", ratio: "50 %" }), row({ figure: "c" }));
  const second = measured(row({ ratio: "2.0×" }), row({ figure: "b", ratio: "40 %" }));
  expect(bestOf(first, second)["one"]?.rows.map(({ ratio }) => ratio)).toEqual(["2.0×", "50 %", "2.0×"]);
});
