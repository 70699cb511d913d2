import { constants } from "node:fs";
import { mkdir, readdir, readFile, rename, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { DataFolder } from "./data-folder.ts";

test("a data directory that is not there, or is none, is named, with what to look at", async () => {
  await using folder = await tempDir();
  const gone = join(folder.path, "gone");
  await expect(DataFolder.open(gone)).rejects.toThrow(
    `opening the data directory ${gone}: it is not there; is it mounted?`,
  );
  const file = join(folder.path, "file");
  await writeFile(file, "");
  await expect(DataFolder.open(file)).rejects.toThrow(`the data directory ${file} is not a directory`);
});

describe("files", () => {
  test("are reached by name, and errors name them", async () => {
    await using folder = await tempDir();
    const { files, path } = await DataFolder.open(folder.path);
    await files.mkdir(join(path, "a"));
    const handle = await files.open(
      join(path, "a/b"),
      constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
    );
    await handle.writeFile("content");
    await handle.close();
    await files.link(join(path, "a/b"), join(path, "c"));
    await files.rename(join(path, "c"), join(path, "a/d"));
    expect(await readFile(join(path, "a/d"), "utf8")).toBe("content");
    await expect(files.unlink(join(path, "a/e"))).rejects.toThrow(`unlink '${join(path, "a/e")}'`);
  });

  test("are not reached through a folder that is a link that leads out, whatever is asked for", async () => {
    await using folder = await tempDir();
    await using outside = await tempDir();
    const { files, path } = await DataFolder.open(folder.path);
    await writeFile(join(outside.path, "secret"), "secret");
    await writeFile(join(path, "own"), "own");
    await symlink(outside.path, join(path, "out"));
    const through = join(path, "out/secret");
    const own = join(path, "own");
    const tries = [
      () => files.open(through, constants.O_RDONLY),
      () => files.open(join(path, "out/new"), constants.O_RDWR | constants.O_CREAT),
      () => files.lstat(through),
      () => files.mkdir(join(path, "out/new")),
      () => files.rmdir(through),
      () => files.unlink(through),
      () => files.link(through, join(path, "linked")),
      () => files.link(own, join(path, "out/linked")),
      () => files.rename(own, join(path, "out/moved")),
      () => files.copyFile(own, join(path, "out/copied"), 0),
    ];
    for (const attempt of tries) await expect(attempt()).rejects.toThrow("leads out of the data directory");
    expect(await readdir(outside.path)).toEqual(["secret"]);
    expect((await readdir(path)).toSorted()).toEqual(["out", "own"]);
  });

  test("stay where they are looked for while folders are replaced by links all the time", async () => {
    await using folder = await tempDir();
    await using outside = await tempDir();
    const { files, path } = await DataFolder.open(folder.path);
    const [real, away] = [join(path, "folder"), join(path, "away")];
    await mkdir(real);
    const over = new AbortController();
    const attacker = (async () => {
      while (!over.signal.aborted) {
        await rename(real, away);
        await symlink(outside.path, real);
        await unlink(real);
        await rename(away, real);
      }
    })();
    let refused = 0;
    for (let file = 0; file < 500; file += 1) {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      const handle = await files.open(join(real, `${file}`), flags).catch(() => (refused += 1));
      if (typeof handle === "object") await handle.close();
    }
    over.abort();
    await attacker;
    expect(await readdir(outside.path)).toEqual([]);
    expect((await readdir(real)).length + refused).toBe(500);
  });
});

describe("names", () => {
  test.each([
    ".qbsync",
    ".QBSYNC",
    ".qbSync",
    ".qbsync.",
    ".qbsync ",
    ".qb\u200csync",
    "\ufeff.qbsync",
    "．ｑｂｓｙｎｃ",
    "QBSYNC~1",
  ])("that could be the state folder's on some file system, such as %j, are refused", async (name) => {
    await using folder = await tempDir();
    const data = await DataFolder.open(folder.path);
    expect(() => data.resolve([name, "x"])).toThrow("program's own");
    expect(data.resolve(["below", name])).toBe(join(data.path, "below", name));
  });

  test("of unfinished files are refused wherever they are", async () => {
    await using folder = await tempDir();
    const data = await DataFolder.open(folder.path);
    for (const name of [`.${"a".repeat(40)}.0.qbsync`, `.${"A".repeat(40)}.12.QBSYNC`])
      expect(() => data.resolve(["a", name])).toThrow("program's own");
    expect(data.resolve([".a.0.qbsync"])).toContain(".a.0.qbsync");
  });
});
