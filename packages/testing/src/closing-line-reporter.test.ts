import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { closingLineVariable } from "./closing-line-reporter.ts";
import { tempDir } from "./temp-dir.ts";

const ownModule = (path: string) => fileURLToPath(new URL(path, import.meta.url));

describe("the closing line", { timeout: 30_000 }, () => {
  test("counts tests of every kind", async () => {
    const source = `
      test("passes", () => {});
      test("fails", () => expect(1).toBe(2));
      test.skip("is skipped", () => {});
      test.todo("is to be written");
    `;
    expect(await lastLine({ "a.test.js": source })).toBe("1 passed, 1 failed, 2 skipped");
  });

  test("counts a file that cannot be loaded, a hook and a forgotten promise that fail as failures", async () => {
    const sources = {
      "a.test.js": `throw new Error("no such thing")`,
      "b.test.js": `describe("suite", () => { beforeAll(() => { throw new Error("no server") }); test("a", () => {}); });`,
      "c.test.js": `test("passes", () => { Promise.reject(new Error("forgotten")) });`,
    };
    expect(await lastLine(sources)).toBe("1 passed, 3 failed, 1 skipped");
  });

  test("tells of a failure when no test was found at all", async () => {
    expect(await lastLine({})).toBe("0 passed, 1 failed, 0 skipped");
  });
});

/** The last line that vitest with this reporter prints on stdout for these test files. */
async function lastLine(sources: Record<string, string>): Promise<string | undefined> {
  await using dir = await tempDir();
  for (const [name, source] of Object.entries(sources)) await writeFile(join(dir.path, name), source);
  const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
  const reporter = ownModule("./closing-line-reporter.ts");
  const options = ["--root", dir.path, "--globals", "--reporter=default", `--reporter=${reporter}`];
  const { [closingLineVariable]: _, ...env } = process.env;
  const child = spawn(process.execPath, [vitest, "run", ...options], {
    env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return (await text(child.stdout)).split("\n").at(-2);
}
