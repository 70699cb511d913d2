import { AssertionError } from "node:assert";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/**
 * Asserts that the text between `<!-- name:start -->` and `<!-- name:end -->` of a README is `content`, so that what
 * is generated from code cannot go stale. With `UPDATE_DOCS=1` in the environment the README is rewritten instead.
 *
 * @param readme where the README is, e.g. `new URL("../README.md", import.meta.url)`
 */
export async function readmeBlock(readme: URL, name: string, content: string): Promise<void> {
  const text = await readFile(readme, "utf8");
  const wanted = replaceBlock(text, { name, content, readme });
  if (wanted === text) return;
  if (process.env.UPDATE_DOCS === "1") return await writeFile(readme, wanted);
  throw new AssertionError({
    message: `the block "${name}" of ${fileURLToPath(readme)} is not up to date; run the test with UPDATE_DOCS=1`,
    actual: text,
    expected: wanted,
  });
}

function replaceBlock(text: string, block: { name: string; content: string; readme: URL }): string {
  const start = `<!-- ${block.name}:start -->`;
  const end = `<!-- ${block.name}:end -->`;
  const from = text.indexOf(start);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${fileURLToPath(block.readme)} has no lines ${start} and ${end}`);
  return `${text.slice(0, from + start.length)}\n\n${block.content.trim()}\n\n${text.slice(to)}`;
}
