import { readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { makeFolder } from "./make-folder.ts";

test("makes what is missing, also for several at once, and leaves what is there", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "a", "b", "c");
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(dir.path, "a", "x"))]);
  await makeFolder(path);
  expect(await readdir(join(dir.path, "a"))).toEqual(["b", "x"]);
});

test("a link to a folder is one, a file is not", async () => {
  await using dir = await tempDir();
  await symlink(dir.path, join(dir.path, "link"));
  await expect(makeFolder(join(dir.path, "link"))).resolves.toBeUndefined();
  await writeFile(join(dir.path, "file"), "");
  await expect(makeFolder(join(dir.path, "file"))).rejects.toThrow("EEXIST");
  await expect(makeFolder(join(dir.path, "file", "below"))).rejects.toThrow("ENOTDIR");
});

test
  .skipIf(process.platform !== "linux")
  .each(["/proc/self/nope", "/proc/self/nope/state", "/proc/nope/a/b"])(
  "where no folder can be made that is an error and no endless loop: %s",
  async (path) => {
    await expect(makeFolder(path)).rejects.toThrow("ENOENT");
  },
);
