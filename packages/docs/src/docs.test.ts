import { readmeBlock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { readPage, repository } from "./pages.ts";

test("docs/compose.md shows docs/compose.yaml", async () => {
  const block = `\`\`\`yaml\n${await readPage("docs/compose.yaml")}\`\`\``;
  await expect(
    readmeBlock(new URL("docs/compose.md", repository), "compose", block),
  ).resolves.toBeUndefined();
});
