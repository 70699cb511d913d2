import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { readmeBlock } from "./readme-block.ts";

test("the README's example is the one that is tested", async () => {
  const source = await readFile(new URL("./example.contract.test.ts", import.meta.url), "utf8");
  const block = `\`\`\`ts\n${source}\`\`\``;
  await expect(
    readmeBlock(new URL("../README.md", import.meta.url), "example", block),
  ).resolves.toBeUndefined();
});
