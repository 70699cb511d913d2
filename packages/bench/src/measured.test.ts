import { tempDir } from "@qbit-sidecars/testing";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import type { Row } from "./figures.ts";
import { headlines } from "./headlines.ts";
import {
  figuresBlock,
  headlinesBlock,
  type Measured,
  readMeasured,
  withRows,
  writeJson,
} from "./measured.ts";

const setting = { date: "2026-11-28", machine: "2 × CPU, linux x64", versions: "Node v26" };
const rows = (...figures: string[]): Row[] =>
  figures.map((figure) => ({ figure, value: "1 ms", baseline: "", ratio: "", aim: "" }));
const before: Measured = {
  one: { ...setting, rows: rows("a", "b") },
  two: { ...setting, rows: rows("c") },
  old: { ...setting, rows: rows("z") },
};

test("one benchmark's rows are replaced as a whole, and those of benchmarks that are no more go", () => {
  const after = withRows(before, { name: "one", rows: rows("b", "new"), setting }, ["two", "one"]);
  expect(
    Object.entries(after).map(([name, { rows: own }]) => [name, own.map(({ figure }) => figure)]),
  ).toEqual([
    ["two", ["c"]],
    ["one", ["b", "new"]],
  ]);
});

test("the page says what all were measured with, and what else some were", () => {
  const { two, ...others } = before;
  const mixed = { ...others, two: { ...setting, date: "2026-11-01", rows: two?.rows ?? [] } };
  const block = figuresBlock(mixed);
  expect(block).toMatch(
    /^2 × CPU, linux x64, Node v26; 2026-11-28\. Of `two`: 2 × CPU, linux x64, Node v26; 2026-11-01\.\n\n\| Figure/u,
  );
  expect(block.split("\n").filter((line) => line.includes("1 ms"))).toHaveLength(4);
});

test("the short table has the headlines in their order, and none that was not measured", () => {
  const [first = "", second = ""] = headlines;
  const block = headlinesBlock({ one: { ...setting, rows: rows(second, "another", first) } });
  expect(block.split("\n").slice(2)).toEqual([`| ${first} | 1 ms |  |  |`, `| ${second} | 1 ms |  |  |`]);
});

test("nothing measured yet is said", () => {
  expect(figuresBlock({})).toBe("Nothing was measured yet.");
});

test("what is written is read again; no file is nothing, and a broken one is told of by its name", async () => {
  await using folder = await tempDir();
  const file = pathToFileURL(join(folder.path, "measured.json"));
  await expect(readMeasured(file)).resolves.toEqual({});
  await writeJson(file, before);
  await expect(readMeasured(file)).resolves.toEqual(before);
  await expect(readdir(folder.path)).resolves.toEqual(["measured.json"]);
  await writeFile(file, "{");
  await expect(readMeasured(file)).rejects.toThrow("measured.json");
});
