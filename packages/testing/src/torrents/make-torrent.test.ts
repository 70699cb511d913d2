import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tempDir } from "../temp-dir.ts";
import { makeTorrent, type TorrentOptions } from "./make-torrent.ts";

const files = [
  { path: "b/film.bin", size: 40_000 },
  { path: "a.txt", size: 5 },
  { path: "empty", size: 0 },
];

describe("a torrent made on the spot", () => {
  test("is the same for the same options, and another for another seed", () => {
    const options: TorrentOptions = { version: "hybrid", files };
    expect(makeTorrent(options).torrent).toEqual(makeTorrent(options).torrent);
    expect(makeTorrent({ ...options, seed: 2 }).torrentId).not.toBe(makeTorrent(options).torrentId);
  });

  test("has the infohashes of its versions, and the id that qBittorrent gives it", () => {
    const [v1, v2, hybrid] = (["v1", "v2", "hybrid"] as const).map((version) =>
      makeTorrent({ version, files }),
    );
    expect(v1).toMatchObject({ infohashV1: v1?.torrentId });
    expect(v1).not.toHaveProperty("infohashV2");
    expect(v2).not.toHaveProperty("infohashV1");
    expect(v2?.torrentId).toBe(v2?.infohashV2?.slice(0, 40));
    expect(hybrid?.torrentId).toBe(hybrid?.infohashV2?.slice(0, 40));
    expect(hybrid?.infohashV1).toHaveLength(40);
  });

  test("writes files whose pieces have the hashes of the torrent", async () => {
    await using dir = await tempDir();
    const made = makeTorrent({ version: "v1", files, name: "folder" });
    await made.write(dir.path);
    const contents = await Promise.all(made.files.map(({ path }) => readFile(join(dir.path, path))));
    const all = Buffer.concat(contents);
    const pieces = [0, 1, 2].map((index) => all.subarray(index * 16_384, (index + 1) * 16_384));
    expect(all).toHaveLength(40_005);
    for (const piece of pieces)
      expect(made.torrent.includes(createHash("sha1").update(piece).digest())).toBe(true);
    expect(made.files.map(({ path }) => path)).toEqual(["folder/b/film.bin", "folder/a.txt", "folder/empty"]);
  });

  test("gives any part of a file's content", () => {
    const [file] = makeTorrent({ version: "v1", files }).files;
    expect(file?.content(16_385, 100)).toEqual(file?.content().subarray(16_385, 16_485));
  });

  test("of one file without a folder is that file", () => {
    const made = makeTorrent({ version: "hybrid", files: [{ path: "film.bin", size: 10 }] });
    expect(made.name).toBe("film.bin");
    expect(made.files.map(({ path }) => path)).toEqual(["film.bin"]);
    expect(made.torrent.toString("latin1")).toContain("6:lengthi10e");
  });

  test("has its files in the order of the file tree when v2 clients read it", () => {
    const made = makeTorrent({ version: "v2", files, name: "folder" });
    expect(made.files.map(({ path }) => path)).toEqual(["folder/a.txt", "folder/b/film.bin", "folder/empty"]);
  });

  test("cannot have impossible pieces or files", () => {
    expect(() => makeTorrent({ version: "v1", files, pieceLength: 20_000 })).toThrow(
      "20000 is no power of two",
    );
    expect(() => makeTorrent({ version: "v1", files: [] })).toThrow("at least one file");
    const renamed = () => makeTorrent({ version: "v2", files: [{ path: "a", size: 1 }], name: "b" });
    expect(renamed).toThrow("a v2 torrent of the file a cannot have another name");
    const clash = [...files, { path: "a.txt/below", size: 1 }];
    expect(() => makeTorrent({ version: "v2", files: clash })).toThrow("cannot be in one torrent");
  });
});
