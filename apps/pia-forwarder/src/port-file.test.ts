import { tempDir } from "@qbit-sidecars/testing";
import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PortFile } from "./port-file.ts";

test("holds the port without a line break, for all to read, in a folder that is made if need be", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "gluetun", "forwarded_port");
  expect(await new PortFile(path).write(51_813)).toBe(true);
  expect(await readFile(path, "utf8")).toBe("51813");
  expect((await stat(path)).mode & 0o777).toBe(0o644);
});

test("is written again only for another port or when the same one came back", async () => {
  await using dir = await tempDir();
  const file = new PortFile(join(dir.path, "port"));
  expect([
    await file.write(1),
    await file.write(1),
    await file.write(1, { anew: true }),
    await file.write(2),
    await file.write(undefined),
    await file.write(undefined),
  ]).toEqual([true, false, true, true, true, false]);
});

test("is not made in order to say that there is no port", async () => {
  await using dir = await tempDir();
  expect(await new PortFile(join(dir.path, "port")).write(undefined)).toBe(false);
});

test("that cannot be written is an error that names it", async () => {
  await using dir = await tempDir();
  await mkdir(join(dir.path, "port"));
  await expect(new PortFile(join(dir.path, "port")).write(1)).rejects.toThrow(
    /writing the port file .*port/u,
  );
  await writeFile(join(dir.path, "file"), "");
  await symlink("/nonexistent/folder", join(dir.path, "link"));
  await expect(new PortFile(join(dir.path, "file", "port")).write(1)).rejects.toThrow(
    /writing the port file/u,
  );
});
