import { expect } from "vitest";
import { QbitConflictError, QbitNotFoundError } from "../errors.ts";
import { becomes, since, unknown, type Rows } from "./world.ts";

/** Where a torrent gets its data from. */
export const sourceRows = {
  "torrents/addTrackers": async (world) => {
    const { torrentId } = await world.fresh();
    const urls = ["http://127.0.0.1:9/a?x=1&y=2", "udp://127.0.0.1:9/b"];
    await world.client.torrents.addTrackers(torrentId, urls);
    const trackers = await world.client.torrents.trackers(torrentId);
    expect(trackers.map(({ url }) => url)).toEqual(expect.arrayContaining(urls));
    // 5.2 takes lists of hashes there, and ignores those it does not know.
    if (world.capabilities.atLeast("2.11.8")) return;
    await expect(world.client.torrents.addTrackers(unknown, urls)).rejects.toThrow(QbitNotFoundError);
  },
  "torrents/editTracker": async (world) => {
    const { torrentId } = await world.fresh();
    const [url, newUrl] = ["http://127.0.0.1:9/old", "http://127.0.0.1:9/new"] as const;
    await world.client.torrents.addTrackers(torrentId, [url]);
    await world.client.torrents.editTracker(torrentId, { url, newUrl });
    expect((await world.client.torrents.trackers(torrentId)).map((tracker) => tracker.url)).toContain(newUrl);
    await expect(world.client.torrents.editTracker(torrentId, { url, newUrl })).rejects.toThrow(
      QbitConflictError,
    );
  },
  "torrents/removeTrackers": async (world) => {
    const { torrentId } = await world.fresh();
    const urls = ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"];
    await world.client.torrents.addTrackers(torrentId, urls);
    await world.client.torrents.removeTrackers(torrentId, urls);
    expect(await world.client.torrents.trackers(torrentId)).toHaveLength(3);
  },
  "torrents/addWebSeeds": async (world) => {
    const { torrentId } = await world.fresh();
    const urls = ["http://127.0.0.1:9/a%20b?x=1&y=2%7Cz", "http://127.0.0.1:9/c"];
    if (!(await since(world, "2.11.4", async () => await world.client.torrents.addWebSeeds(torrentId, urls))))
      return;
    await world.client.torrents.addWebSeeds(torrentId, urls);
    const listed = async () =>
      (await world.client.torrents.webseeds(torrentId)).map(({ url }) => url).toSorted();
    // qBittorrent shows URLs with spaces where there are none.
    await expect.poll(listed).toEqual(["http://127.0.0.1:9/a b?x=1&y=2%7Cz", "http://127.0.0.1:9/c"]);
  },
  "torrents/editWebSeed": async (world) => {
    const { torrentId } = await world.fresh();
    const [url, newUrl] = ["http://127.0.0.1:9/old", "http://127.0.0.1:9/new"] as const;
    const edit = async () => await world.client.torrents.editWebSeed(torrentId, { url, newUrl });
    if (!(await since(world, "2.11.4", edit))) return;
    await world.client.torrents.addWebSeeds(torrentId, [url]);
    await edit();
    await expect.poll(async () => await world.client.torrents.webseeds(torrentId)).toEqual([{ url: newUrl }]);
    await expect(edit()).rejects.toThrow(QbitConflictError);
  },
  "torrents/removeWebSeeds": async (world) => {
    const { torrentId } = await world.fresh();
    const urls = ["http://127.0.0.1:9/a"];
    const remove = async () => await world.client.torrents.removeWebSeeds(torrentId, urls);
    if (!(await since(world, "2.11.4", remove))) return;
    await world.client.torrents.addWebSeeds(torrentId, urls);
    await remove();
    await expect.poll(async () => await world.client.torrents.webseeds(torrentId)).toEqual([]);
  },
  "torrents/addPeers": async (world) => {
    const torrent = await world.fresh({ stopped: false });
    await becomes(world, torrent, { state: "stalledDL" });
    await world.client.torrents.addPeers([torrent.torrentId], ["127.0.0.1:9"]);
    await expect(world.client.torrents.addPeers([torrent.torrentId], ["nonsense"])).rejects.toMatchObject({
      kind: "badRequest",
    });
  },
} satisfies Rows;
