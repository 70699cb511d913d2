import { tempDir } from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generate, generatedFile } from "./generate.ts";

test("the committed code is what the .proto generates; node src/generate.ts writes it", async () => {
  await using folder = await tempDir();
  await generate(folder.path);
  const [fresh, committed] = await Promise.all([
    readFile(join(folder.path, generatedFile.replace("gen/", "")), "utf8"),
    readFile(new URL(generatedFile, import.meta.url), "utf8"),
  ]);
  expect(fresh).toBe(committed);
});
