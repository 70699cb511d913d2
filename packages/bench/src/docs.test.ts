import { expect, test } from "vitest";
import { headlines } from "./headlines.ts";
import { readMeasured } from "./measured.ts";
import { publishFigures } from "./publish-figures.ts";

const measured = await readMeasured(new URL("../measured.json", import.meta.url));

test("docs/figures.md and the README show the figures that were measured last", async () => {
  expect(Object.keys(measured)).not.toEqual([]);
  await publishFigures(measured);
});

test("every figure that the README is to show is one that is measured", () => {
  const figures = Object.values(measured).flatMap(({ rows }) => rows.map(({ figure }) => figure));
  expect(headlines.filter((headline) => !figures.includes(headline))).toEqual([]);
});
