import { tempDir } from "@qbit-sidecars/testing";
import { link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Torrent } from "@qbit-sidecars/qbit-client";
import { expect, test } from "vitest";
import { ContentLookup, freedBytes } from "./content-files.ts";
import { groupsOf } from "./shared-files.ts";

const bytes = 100_000;

/** A folder of data, torrents in it, and what is found of them. */
async function found(data: string, torrents: Record<string, { savePath?: string; names: string[] }>) {
  const lookup = new ContentLookup({
    client: {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is read of them
      files: async (id: string) => torrents[id]!.names.map((name) => ({ name, priority: 1 })) as never,
    },
    mounts: async () => ({ savePath: "/downloads", data, tempPath: undefined, tempData: undefined }),
    data,
    count: () => {},
  });
  const listed = Object.entries(torrents).map(([hash, { savePath = "/downloads" }]) => ({
    hash,
    name: hash,
    save_path: savePath,
    content_path: "",
  }));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is read of them
  return await lookup.look(listed as unknown as Torrent[], new AbortController().signal);
}

const groups = (contents: Awaited<ReturnType<typeof found>>) =>
  groupsOf([...contents].map(([id, { keys }]) => ({ id, files: keys })));

test("two torrents of the same file, and a hard link to it, share their data; removing one of them frees nothing", async () => {
  await using folder = await tempDir();
  await writeFile(join(folder.path, "film"), Buffer.alloc(bytes));
  await mkdir(join(folder.path, "links"));
  await link(join(folder.path, "film"), join(folder.path, "links/film"));
  await writeFile(join(folder.path, "other"), Buffer.alloc(bytes));
  const contents = await found(folder.path, {
    one: { names: ["film"] },
    same: { names: ["film"] },
    linked: { savePath: "/downloads/links", names: ["film"] },
    other: { names: ["other"] },
  });
  expect(groups(contents)).toEqual([["one", "same", "linked"], ["other"]]);
  const freed = (...ids: string[]) => freedBytes(ids.map((id) => contents.get(id)!));
  expect(freed("one")).toBe(0);
  expect(freed("one", "same")).toBe(0);
  expect(freed("one", "same", "linked")).toBeGreaterThanOrEqual(bytes);
  expect(freed("other")).toBeGreaterThanOrEqual(bytes);
});

test("what a media library links to frees nothing, and what is not there is not on this disk", async () => {
  await using folder = await tempDir();
  await writeFile(join(folder.path, "film"), Buffer.alloc(bytes));
  await link(join(folder.path, "film"), join(folder.path, "in the library"));
  const contents = await found(folder.path, { film: { names: ["film"] }, gone: { names: ["gone"] } });
  expect(freedBytes([contents.get("film")!])).toBe(0);
  expect(contents.get("film")?.isOnDisk).toBe(true);
  expect(contents.get("gone")?.isOnDisk).toBe(false);
});
