import { describe, expect, test } from "vitest";
import { belowSavePath, foldersOf, toLocal } from "./data-folders.ts";

describe("where qBittorrent has a torrent's files", () => {
  const names = ["show/a.mkv", "show/b.mkv"];
  test.each([
    ["a folder", { save_path: "/d", content_path: "/d/show" }, names, ["/d"]],
    [
      "a folder, still in the temp path",
      { save_path: "/d", content_path: "/tmp/show" },
      names,
      ["/tmp", "/d"],
    ],
    ["one file", { save_path: "/d", content_path: "/tmp/a.mkv" }, ["a.mkv"], ["/tmp", "/d"]],
    ["one file in a folder", { save_path: "/d", content_path: "/tmp/x/a.mkv" }, ["x/a.mkv"], ["/tmp", "/d"]],
    ["files without a folder", { save_path: "/d", content_path: "/tmp" }, ["a", "b/c"], ["/tmp", "/d"]],
    ["a save path with a slash", { save_path: "/d/", content_path: "/d/show" }, names, ["/d"]],
    ["no content path yet", { save_path: "/d", content_path: "" }, names, ["/d"]],
    [
      "a download path",
      { save_path: "/d", content_path: "/d/show", download_path: "/t" },
      names,
      ["/d", "/t"],
    ],
  ])("%s", (...[, torrent, files, folders]) => {
    expect(foldersOf(torrent, files)).toEqual(folders);
  });
});

describe("where that is for this program", () => {
  const mounts = { savePath: "/downloads", data: "/mnt/data", tempPath: undefined, tempData: undefined };
  test.each([
    ["the save path", "/downloads", "/mnt/data"],
    ["a category's folder", "/downloads/films", "/mnt/data/films"],
    ["a folder beside it", "/incomplete", "/mnt/incomplete"],
  ])("%s", (_, folder, local) => {
    expect(toLocal(folder, mounts)).toBe(local);
  });

  test("the temp path that was named", () => {
    const temp = { ...mounts, tempPath: "/incomplete", tempData: "/fast" };
    expect(toLocal("/incomplete/x", temp)).toBe("/fast/x");
    expect(toLocal("/incomplete2", temp)).toBe("/mnt/incomplete2");
  });
});

test.each([
  ["/downloads/films/new", "films/new"],
  ["/downloads", ""],
  ["/elsewhere", ""],
  ["/downloads2", ""],
  ["/downloads/..hidden", "..hidden"],
])("the destination is told that %s is %j below its own folder", (folder, below) => {
  expect(belowSavePath(folder, "/downloads")).toBe(below);
});
