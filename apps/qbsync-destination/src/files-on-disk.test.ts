import type { QbitClient } from "@qbit-sidecars/qbit-client";
import { tempDir } from "@qbit-sidecars/testing";
import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { whyNotOnDisk } from "./files-on-disk.ts";

/** A torrent of one selected and one unselected file, 100 % in qBittorrent whatever the disk holds. */
async function stage() {
  const folder = await tempDir();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const film = join(folder.path, "films", "film.mkv");
  await mkdir(join(folder.path, "films"));
  await writeFile(film, "film");
  const torrent = { save_path: "/downloads/films" };
  const files = [
    { name: "film.mkv", priority: 1, size: 4 },
    { name: "sample.mkv", priority: 0, size: 4 },
  ];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that it looks at
  const client = {
    info: async () => [torrent],
    files: async () => files,
  } as unknown as QbitClient["torrents"];
  const folders = { savePath: "/downloads/", dataPath: folder.path };
  const look = () => whyNotOnDisk(client, "a".repeat(40), { folders, signal: new AbortController().signal });
  return { film, torrent, look };
}

test("what is selected is looked for where qBittorrent has it", async () => {
  const { film, look } = await stage();
  expect(await look()).toBeUndefined();
  await truncate(film, 3);
  expect(await look()).toBe(`${film} has 3 bytes instead of 4`);
  await rm(film);
  expect(await look()).toBe(`${film} is not there any more`);
});

test("what a person moved to where it is not seen is not taken to be there", async () => {
  const { torrent, look } = await stage();
  torrent.save_path = "/elsewhere";
  expect(await look()).toContain("/elsewhere, which is not below /downloads/");
});
