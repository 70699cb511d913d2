import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { isHelmMissing } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { chartsFolder } from "../chart-files.ts";
import { readyMadeFiles } from "./ready-made-files.ts";

describe.skipIf(await isHelmMissing())("Kustomize components and values for app-template", () => {
  test("are what the apps' charts make now (npm run docs makes them)", async () => {
    const files = await readyMadeFiles();
    if (process.env.UPDATE_DOCS === "1") await writeAll(files);
    for (const { path, content } of files) {
      const found = await readFile(new URL(path, chartsFolder), "utf8").catch(() => "");
      expect(found, `charts/${path}`).toBe(content);
    }
  });

  test("are there for no app that is gone", async () => {
    const made = new Set((await readyMadeFiles()).map(({ path }) => path));
    for (const folder of ["kustomize", "app-template"]) {
      const entries = await readdir(new URL(folder, chartsFolder), { recursive: true, withFileTypes: true });
      const yaml = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".yaml"));
      const paths = yaml.map(({ parentPath, name }) =>
        relative(fileURLToPath(chartsFolder), join(parentPath, name)),
      );
      expect(paths.filter((path) => !made.has(path))).toEqual([]);
    }
  });
});

async function writeAll(files: readonly { path: string; content: string }[]): Promise<void> {
  for (const { path, content } of files) {
    const file = fileURLToPath(new URL(path, chartsFolder));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
