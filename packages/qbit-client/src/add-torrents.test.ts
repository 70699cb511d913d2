import { makeTorrent, startFakeQbittorrent } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { QbitClient } from "./client.ts";
import { QbitUnsupportedError } from "./errors.ts";

const film = makeTorrent({ version: "v1", files: [{ path: "film.mkv", size: 10_000 }] });
const magnet = `magnet:?xt=urn:btih:${"a".repeat(40)}`;
const page = "https://tracker.example.org/download/1";
const plain = { "content-type": "text/plain" };
const nothing = { added: [], duplicates: [], pending: [], failed: [] };

describe("adding torrents", () => {
  test("what can be seen to be none is told of, each by its own name, and nothing is sent for it", async () => {
    await using fake = await startFakeQbittorrent();
    using client = new QbitClient({ url: fake.url });
    const files = [Buffer.from("<!doctype html>"), Buffer.from("d4:infod")];
    await expect(client.torrents.add({ files, urls: ["not a url", "two words.torrent"] })).resolves.toEqual({
      ...nothing,
      failed: [
        { source: "files[0]", reason: "not a torrent file" },
        { source: "files[1]", reason: "not a torrent file" },
        { source: "not a url", reason: "not a URL" },
        { source: "two words.torrent", reason: "not a URL" },
      ],
    });
    expect(fake.calls.count()).toBe(0);
    await expect(client.torrents.add({})).resolves.toEqual(nothing);
  });

  test.each(["4.2.5", "4.5.2", "5.1.0", "5.3.0"] as const)(
    "on %s the same torrent twice is one, and one that is there is a duplicate",
    async (version) => {
      await using fake = await startFakeQbittorrent({ version });
      using client = new QbitClient({ url: fake.url });
      const twice = { files: [film.torrent, film.torrent], stopped: true };
      const added = { ...nothing, added: [film.torrentId] };
      await expect(client.torrents.add(twice)).resolves.toEqual(added);
      expect(fake.torrents).toHaveLength(1);
      const again = await client.torrents.add({ ...twice, urls: [magnet] });
      expect(again).toMatchObject({ duplicates: [film.torrentId], failed: [] });
      expect([...again.added, ...again.pending]).toEqual(["a".repeat(40)]);
    },
  );

  test.each([
    [{ status: 415, body: "not a valid torrent" }, "not a valid torrent"],
    [{ status: 409, body: "" }, "qBittorrent refuses it"],
    [{ status: 200, body: "Fails." }, "qBittorrent refuses it"],
  ])("what qBittorrent refuses by %o is failed, with the reason", async (answer, reason) => {
    await using fake = await startFakeQbittorrent({ version: "5.1.0" });
    using client = new QbitClient({ url: fake.url });
    fake.faults.next("torrents/add", { kind: "answer", headers: plain, ...answer });
    await expect(client.torrents.add({ files: [film.torrent], urls: [page] })).resolves.toEqual({
      ...nothing,
      failed: [
        { source: "files[0]", reason },
        { source: page, reason },
      ],
    });
  });

  test("an address that qBittorrent fetches by itself is pending, by that address", async () => {
    await using fake = await startFakeQbittorrent({ version: "5.1.0" });
    using client = new QbitClient({ url: fake.url });
    fake.faults.next("torrents/add", { kind: "answer", headers: plain, status: 200, body: "Ok." });
    await expect(client.torrents.add({ urls: [page] })).resolves.toEqual({ ...nothing, pending: [page] });
  });

  test.each([
    [{ tags: ["x"] }, "tags"],
    [{ downloadPath: "/incomplete" }, "downloadPath"],
    [{ ratioLimit: 2 }, "ratioLimit"],
    [{ stopCondition: "FilesChecked" }, "stopCondition"],
  ] as const)(
    "a setting that an old one would ignore is refused before anything starts: %o",
    async (setting, name) => {
      await using fake = await startFakeQbittorrent({ version: "4.2.5" });
      using client = new QbitClient({ url: fake.url });
      const adding = client.torrents.add({ files: [film.torrent], ...setting });
      await expect(adding).rejects.toThrow(QbitUnsupportedError);
      await expect(adding).rejects.toThrow(`adding torrents with \`${name}\``);
      expect(fake.torrents).toEqual([]);
    },
  );

  test("where data goes is said in each version's words", async () => {
    for (const [downloadPath, sent] of [
      ["/incomplete", { downloadPath: "/incomplete", useDownloadPath: "true" }],
      ["", { useDownloadPath: "false" }],
    ] as const) {
      await using fake = await startFakeQbittorrent();
      using client = new QbitClient({ url: fake.url });
      const settings = { savePath: "/data", downloadPath, contentLayout: "NoSubfolder" } as const;
      await client.torrents.add({ files: [film.torrent], ...settings });
      const params = {
        savepath: "/data",
        autoTMM: "false",
        contentLayout: "NoSubfolder",
        root_folder: "false",
      };
      expect(fake.calls.list("torrents/add")).toMatchObject([{ params: { ...params, ...sent } }]);
    }
  });
});

test("a change of nothing asks for nothing: an empty list would mean all of them", async () => {
  await using fake = await startFakeQbittorrent({ torrents: 1 });
  using client = new QbitClient({ url: fake.url });
  await client.capabilities();
  const before = fake.calls.count();
  const { torrents, transfer } = client;
  const hash = "a".repeat(40);
  await torrents.setFilePriority(hash, { indexes: [], priority: 0 });
  await torrents.addTrackers(hash, []);
  await torrents.removeTrackers(hash, []);
  await torrents.addWebSeeds(hash, []);
  await torrents.removeWebSeeds(hash, []);
  await torrents.removeCategories([]);
  await torrents.createTags([]);
  await torrents.deleteTags([]);
  await torrents.addPeers([hash], []);
  await torrents.setSavePath([], "/data");
  await torrents.setDownloadPath([], "/data");
  await torrents.delete([], { deleteFiles: true });
  await transfer.banPeers([]);
  await expect(torrents.uploadLimits([])).resolves.toEqual({});
  expect(fake.calls.count()).toBe(before);
});

test("a file is renamed in versions that know files by their number, within its folder", async () => {
  await using fake = await startFakeQbittorrent({ version: "4.2.5" });
  using client = new QbitClient({ url: fake.url });
  await client.torrents.add({ files: [film.torrent], stopped: true });
  const rename = async (oldPath: string, newPath: string) =>
    await client.torrents.renameFile(film.torrentId, { oldPath, newPath });
  await expect(rename("film.mkv", "other/film.mkv")).rejects.toThrow("into another folder needs");
  await expect(rename("no.mkv", "film.mkv")).rejects.toThrow("there is no file no.mkv");
  const [{ name } = { name: "" }] = await client.torrents.files(film.torrentId);
  await rename(name, name.replace("film.mkv", "movie.mkv"));
  expect(fake.calls.list("torrents/renameFile")).toMatchObject([{ params: { id: "0", name: "movie.mkv" } }]);
});

test.each([
  ["4.2.5", { toggled: 2, set: 0 }],
  ["5.3.0", { toggled: 0, set: 3 }],
] as const)("alternative limits are switched on %s, by its own means", async (version, { toggled, set }) => {
  await using fake = await startFakeQbittorrent({ version });
  using client = new QbitClient({ url: fake.url });
  for (const on of [true, true, false]) {
    await client.transfer.setAlternativeLimits(on);
    await expect(client.transfer.alternativeLimits()).resolves.toBe(on);
  }
  expect(fake.calls.count("transfer/toggleSpeedLimitsMode")).toBe(toggled);
  expect(fake.calls.count("transfer/setSpeedLimitsMode")).toBe(set);
});
