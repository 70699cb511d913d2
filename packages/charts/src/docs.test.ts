import { readFile, writeFile } from "node:fs/promises";
import { readmeBlock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { chartedApps } from "./apps.ts";
import { chartFile, chartsFolder, generatedFiles, valuesTableOf } from "./chart-files.ts";

const files = await generatedFiles();

test.for(files)(
  "charts/$path is made from what the apps declare now (npm run docs makes it)",
  async (file) => {
    const url = new URL(file.path, chartsFolder);
    if (process.env.UPDATE_DOCS === "1") await writeFile(url, file.content);
    expect(await readFile(url, "utf8").catch(() => "")).toBe(file.content);
  },
);

test("the README of the repository shows the umbrella's example", async () => {
  const example = await chartFile("qbit-sidecars/ci/vpn-values.yaml");
  const block = readmeBlock(new URL("../README.md", chartsFolder), "helm", `\`\`\`yaml\n${example}\`\`\``);
  await expect(block).resolves.toBeUndefined();
});

test("the umbrella's README shows its values and its examples", async () => {
  const readme = new URL("qbit-sidecars/README.md", chartsFolder);
  const example = await chartFile("qbit-sidecars/ci/vpn-values.yaml");
  await expect(readmeBlock(readme, "example", `\`\`\`yaml\n${example}\`\`\``)).resolves.toBeUndefined();
  await expect(readmeBlock(readme, "values", await valuesTableOf("qbit-sidecars"))).resolves.toBeUndefined();
});

test.for(await appsWithHelmBlock())(
  "the README of %s shows the values that its chart's example has",
  async (app) => {
    const readme = new URL(`../apps/${app}/README.md`, chartsFolder);
    const example = await chartFile(`${app}/ci/example-values.yaml`);
    await expect(readmeBlock(readme, "helm", `\`\`\`yaml\n${example}\`\`\``)).resolves.toBeUndefined();
  },
);

async function appsWithHelmBlock(): Promise<string[]> {
  const names = chartedApps.map(({ name }) => name);
  const readmes = await Promise.all(
    names.map(
      async (name) =>
        await readFile(new URL(`../apps/${name}/README.md`, chartsFolder), "utf8").catch(() => ""),
    ),
  );
  return names.filter((_, index) => readmes[index]?.includes("<!-- helm:start -->"));
}
