import { readFile, writeFile } from "node:fs/promises";
import { chartedApps } from "@qbit-sidecars/charts";
import { readmeBlock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { drawArchitecture } from "./architecture/picture.ts";
import { readWorkspace } from "./architecture/workspace.ts";
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

test("docs/architecture.svg is drawn from the apps and their packages as they are now", async () => {
  const file = new URL("docs/architecture.svg", repository);
  const picture = drawArchitecture(await readWorkspace(chartedApps.map(({ name }) => name)));
  if (process.env.UPDATE_DOCS === "1") await writeFile(file, picture);
  expect(await readFile(file, "utf8").catch(() => "")).toBe(picture);
});
