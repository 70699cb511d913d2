import { readmeBlock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { migrationTable } from "./migration-table.ts";
import { readPage, repository } from "./pages.ts";
import { predecessors } from "./predecessors.ts";

test("docs/compose.md shows docs/compose.yaml", async () => {
  const block = `\`\`\`yaml\n${await readPage("docs/compose.yaml")}\`\`\``;
  await expect(
    readmeBlock(new URL("docs/compose.md", repository), "compose", block),
  ).resolves.toBeUndefined();
});

test.for(predecessors)("docs/migrating.md has every variable of $name", async (predecessor) => {
  const page = new URL("docs/migrating.md", repository);
  await expect(readmeBlock(page, predecessor.name, migrationTable(predecessor))).resolves.toBeUndefined();
});
