import { readmeBlock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { figuresBlock, readMeasured } from "./measured.ts";

test("the README's figures are those that were measured last", async () => {
  const measured = await readMeasured(new URL("../measured.json", import.meta.url));
  expect(Object.keys(measured)).not.toEqual([]);
  await readmeBlock(new URL("../../../README.md", import.meta.url), "bench", figuresBlock(measured));
});
