import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
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
