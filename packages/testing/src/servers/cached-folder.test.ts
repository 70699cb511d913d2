import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tempDir } from "../temp-dir.ts";
import { cachedFolder } from "./cached-folder.ts";

describe("a cached folder", () => {
  test("is made once and found again", async () => {
    await using cache = await folderCache();
    const made = await cache.ask();
    const found = await cache.ask();
    expect(found).toEqual(made);
    expect(await readFile(join(found.files, "bin/program"), "utf8")).toBe("program of 1.0");
    expect(cache.timesMade()).toBe(1);
  });

  test("is made once when several ask at the same time", async () => {
    await using cache = await folderCache();
    const folders = await Promise.all([cache.ask(), cache.ask(), cache.ask()]);
    expect(new Set(folders.map(({ files }) => files)).size).toBe(1);
    expect(cache.timesMade()).toBe(1);
  });

  test("is made again when a file is missing or was cut short", async () => {
    await using cache = await folderCache();
    const { files } = await cache.ask();
    await rm(join(files, "bin/program"));
    await cache.ask();
    await truncate(join(files, "bin/program"), 3);
    await cache.ask();
    expect(await readFile(join(files, "bin/program"), "utf8")).toBe("program of 1.0");
    expect(cache.timesMade()).toBe(3);
  });

  test("is made again when a thorough look finds other contents of the same size", async () => {
    await using cache = await folderCache();
    const { files } = await cache.ask();
    await writeFile(join(files, "bin/program"), "malware of 1.0");
    await cache.ask({ thorough: true });
    expect(await readFile(join(files, "bin/program"), "utf8")).toBe("program of 1.0");
  });

  test("is not looked at beyond a link that leads out of it, as var/run of a system leads into the machine's own", async () => {
    await using elsewhere = await tempDir();
    await using cache = await folderCache({ linkTo: elsewhere.path });
    await cache.ask();
    await writeFile(join(elsewhere.path, "made by somebody else"), "");
    await cache.ask();
    expect(cache.timesMade()).toBe(1);
  });

  test("has a place for each version", async () => {
    await using cache = await folderCache();
    await cache.ask({ version: "1.0" });
    await cache.ask({ version: "2.0~rc1:x" });
    expect((await readdir(cache.path)).toSorted()).toEqual(["thing-1.0", "thing-2.0~rc1_x"]);
  });

  test("that could not be made leaves nothing behind and can be asked for again", async () => {
    await using cache = await folderCache();
    await expect(cache.ask({ fails: true })).rejects.toThrow("no space");
    expect(await readdir(cache.path)).toEqual([]);
    await cache.ask();
  });

  test("is made when the process that was making it died", async () => {
    await using cache = await folderCache();
    const lock = join(cache.path, "thing.lock");
    await mkdir(lock);
    // No process has a pid beyond the kernel's limit of 4194304.
    await writeFile(join(lock, "pid"), "4194305");
    await cache.ask();
    expect(cache.timesMade()).toBe(1);
  });
});

type Ask = { version?: string; thorough?: boolean; fails?: boolean };

async function folderCache({ linkTo = "nowhere" }: { linkTo?: string } = {}) {
  const dir = await tempDir();
  let made = 0;
  const ask = ({ version = "1.0", thorough = false, fails = false }: Ask = {}) =>
    cachedFolder<{ version: string }>({
      cache: dir.path,
      kind: "thing",
      isRight: (description) => description.version === version,
      thorough,
      make: async (files) => {
        made++;
        await mkdir(join(files, "bin"));
        await writeFile(join(files, "bin/program"), `program of ${version}`);
        await symlink(linkTo, join(files, "elsewhere"));
        if (fails) throw new Error("no space");
        return { version, description: { version } };
      },
    });
  return {
    ask,
    path: dir.path,
    timesMade: () => made,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}
