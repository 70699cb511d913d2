import { lstat, mkdir, open, readFile, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";

import { isLeftover, writeFileAtomic } from "./write-file-atomic.ts";

async function openOnFullDisk(name: string, flags: string, mode?: number) {
  const file = await open(name, flags, mode);
  file.writeFile = () => Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }));
  return file;
}

test("creates a file that only its owner may read, and replaces its content", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "token");
  await writeFileAtomic(path, "one, and longer");
  await writeFileAtomic(path, "two");
  expect(await readFile(path, "utf8")).toBe("two");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(dir.path)).toEqual(["token"]);
});

test("gives the file exactly the permissions that were asked for, whatever the umask", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "port");
  const before = process.umask(0o077);
  try {
    await writeFileAtomic(path, "51820", { mode: 0o644 });
  } finally {
    process.umask(before);
  }
  expect((await stat(path)).mode & 0o777).toBe(0o644);
});

test("a reader never sees less than a whole version", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "state");
  const versions = ["a", "b"].map((letter) => letter.repeat(100_000));
  await writeFileAtomic(path, versions[0] ?? "");
  const seen: Promise<string>[] = [];
  for (let nth = 0; nth < 30; nth++) {
    const writing = writeFileAtomic(path, versions[nth % 2] ?? "");
    for (let read = 0; read < 5; read++) seen.push(readFile(path, "utf8"));
    await writing;
  }
  for (const content of await Promise.all(seen)) expect(versions).toContain(content);
});

test("a full disk leaves the old content and no temporary file", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "state");
  await writeFile(path, "old");
  await expect(writeFileAtomic(path, "new", { openFile: openOnFullDisk })).rejects.toThrow("ENOSPC");
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(dir.path)).toEqual(["state"]);
});

test("a target that cannot be replaced leaves no temporary file", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "taken");
  await mkdir(path);
  await expect(writeFileAtomic(path, "new")).rejects.toThrow("EISDIR");
  expect(await readdir(dir.path)).toEqual(["taken"]);
});

test("replaces a symbolic link instead of writing to where it points", async () => {
  await using dir = await tempDir();
  const [target, link] = [join(dir.path, "target"), join(dir.path, "link")];
  await writeFile(target, "precious");
  await symlink(target, link);
  await writeFileAtomic(link, "new");
  expect(await readFile(target, "utf8")).toBe("precious");
  expect((await lstat(link)).isFile()).toBe(true);
});

test("flushes the file before it takes the name, and the directory after", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "state");
  const events: string[] = [];
  const watched = async (name: string, flags: string, mode?: number) => {
    const file = await open(name, flags, mode);
    const sync = file.sync.bind(file);
    file.sync = async () => {
      const there = await stat(path).then(
        () => true,
        () => false,
      );
      events.push(
        `${name === dir.path ? "directory" : "file"} flushed, ${there ? "after" : "before"} the rename`,
      );
      return sync();
    };
    return file;
  };
  await writeFileAtomic(path, "x", { openFile: watched });
  expect(events).toEqual(["file flushed, before the rename", "directory flushed, after the rename"]);
});

test("a write is done even where the directory cannot be flushed", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "state");
  const noDirectories = (name: string, flags: string, mode?: number) =>
    name === dir.path ? Promise.reject(new Error("EINVAL")) : open(name, flags, mode);
  await writeFileAtomic(path, "x", { openFile: noDirectories });
  expect(await readFile(path, "utf8")).toBe("x");
});

test("the temporary file is one that a later start recognises", async () => {
  await using dir = await tempDir();
  const names: string[] = [];
  const watched = (name: string, flags: string, mode?: number) => {
    names.push(name.slice(dir.path.length + 1));
    return open(name, flags, mode);
  };
  await writeFileAtomic(join(dir.path, "state"), "x", { openFile: watched });
  expect(isLeftover(names[0] ?? "")).toBe(true);
  expect([".state", "state.tmp", ".state.tmp"].some(isLeftover)).toBe(false);
});
