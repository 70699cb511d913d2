import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { readmeBlock } from "./readme-block.ts";
import { tempDir } from "./temp-dir.ts";

describe("a generated block of a README", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test("is accepted when it is what was generated", async () => {
    await using readme = await readmeWith("<!-- table:start -->\n\n| a |\n\n<!-- table:end -->");
    await expect(readmeBlock(readme.url, "table", "| a |\n")).resolves.toBeUndefined();
  });

  test("is refused when it is stale, and left as it is", async () => {
    vi.stubEnv("UPDATE_DOCS", "");
    await using readme = await readmeWith("<!-- table:start -->\n\n| a |\n\n<!-- table:end -->");
    await expect(readmeBlock(readme.url, "table", "| b |")).rejects.toThrow(
      "run the test with UPDATE_DOCS=1",
    );
    expect(await readme.text()).toContain("| a |");
  });

  test("is rewritten on demand, and nothing around it", async () => {
    vi.stubEnv("UPDATE_DOCS", "1");
    await using readme = await readmeWith("before\n<!-- table:start -->\n<!-- table:end -->\nafter $& $1");
    await readmeBlock(readme.url, "table", "| $& |");
    const rewritten = "before\n<!-- table:start -->\n\n| $& |\n\n<!-- table:end -->\nafter $& $1";
    expect(await readme.text()).toBe(rewritten);
  });

  test("is an error when the README has no place for it", async () => {
    await using readme = await readmeWith("<!-- table:start -->");
    await expect(readmeBlock(readme.url, "table", "")).rejects.toThrow("has no lines <!-- table:start -->");
  });
});

async function readmeWith(content: string) {
  const dir = await tempDir();
  const path = join(dir.path, "README.md");
  await writeFile(path, content);
  return {
    url: pathToFileURL(path),
    text: () => readFile(path, "utf8"),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}
