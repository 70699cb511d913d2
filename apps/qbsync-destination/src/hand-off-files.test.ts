import { tempDir } from "@qbit-sidecars/testing";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { handOffFile, HandOffFiles } from "./hand-off-files.ts";

const id = "a".repeat(40);

async function kept(text?: string) {
  const dir = await tempDir();
  await mkdir(join(dir.path, id));
  const path = join(dir.path, id, handOffFile);
  if (text !== undefined) await writeFile(path, text);
  return { path, files: new HandOffFiles(dir.path), [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() };
}

test("a torrent that nobody handed over has no record", async () => {
  await using at = await kept();
  await expect(at.files.read(id)).resolves.toBeUndefined();
});

test.each([
  { what: "a newer version's", text: '{"id":"1","source":"s","step":"resting","tags":[],"settled":false}' },
  { what: "cut off", text: '{"id":"1","sour' },
])(
  "a record that is $what is refused and left as it is: nothing may be started on a guess",
  async ({ text }) => {
    await using at = await kept(text);
    await expect(at.files.read(id)).rejects.toThrow("that is no record of a hand-off");
    await expect(readFile(at.path, "utf8")).resolves.toBe(text);
  },
);

test("what a newer version adds beside what is known does no harm", async () => {
  await using at = await kept(
    '{"id":"1","source":"s","step":"seeding","tags":["x"],"settled":true,"more":1}',
  );
  await expect(at.files.read(id)).resolves.toMatchObject({ tags: ["x"], isSettled: true });
});
