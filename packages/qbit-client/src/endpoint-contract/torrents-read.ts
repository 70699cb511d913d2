import { expect } from "vitest";
import { QbitNotFoundError } from "../errors.ts";
import { since, unknown, type Rows } from "./world.ts";

/** What is told of torrents. */
export const readingRows = {
  "torrents/info": async (world) => {
    const { client, capabilities } = world;
    const one = await world.fresh();
    const two = await world.fresh();
    const hashes = [one.torrentId, two.torrentId.toUpperCase(), unknown];
    const found = await client.torrents.info({ hashes });
    expect(found.map(({ hash }) => hash).toSorted()).toEqual([one.torrentId, two.torrentId].toSorted());
    expect(found[0]).toMatchObject({ total_size: 60_000, progress: 0, state: "stoppedDL" });
    expect(await client.torrents.info({ hashes: [] })).toEqual([]);
    expect(await client.torrents.info({ hashes, filter: "stopped" })).toHaveLength(2);
    for (const filter of ["running", "errored", "moving", "stalled", "completed"] as const) {
      expect(await client.torrents.info({ hashes, filter }), filter).toEqual([]);
    }
    expect(
      await client.torrents.info({ hashes: Array.from({ length: 500 }, () => one.torrentId) }),
    ).toHaveLength(1);
    if (
      !(await since(
        world,
        "2.11.4",
        async () => await client.torrents.info({ hashes, includeTrackers: true }),
      ))
    )
      return;
    const [withTrackers] = await client.torrents.info({ hashes, includeTrackers: true });
    expect(withTrackers?.trackers).toEqual([]);
    if (!capabilities.atLeast("2.15.1")) return;
    const [withFiles] = await client.torrents.info({ hashes, includeFiles: true });
    expect(withFiles?.files).toHaveLength(2);
  },
  "torrents/count": async (world) => {
    await world.fresh();
    expect(await world.client.torrents.count()).toBe((await world.client.torrents.info()).length);
  },
  "torrents/properties": async (world) => {
    const { torrentId } = await world.fresh();
    expect(await world.client.torrents.properties(torrentId)).toMatchObject({
      pieces_num: 4,
      piece_size: 16_384,
    });
    await expect(world.client.torrents.properties(unknown)).rejects.toThrow(QbitNotFoundError);
  },
  "torrents/trackers": async (world) => {
    const { torrentId } = await world.fresh();
    const trackers = await world.client.torrents.trackers(torrentId);
    expect(trackers).toHaveLength(3);
    expect(trackers[0]).toMatchObject({ url: "** [DHT] **", tier: -1 });
    await expect(world.client.torrents.trackers(unknown)).rejects.toThrow(QbitNotFoundError);
  },
  "torrents/webseeds": async (world) => {
    const { torrentId } = await world.fresh();
    expect(await world.client.torrents.webseeds(torrentId)).toEqual([]);
  },
  "torrents/files": async (world) => {
    const { torrentId, files } = await world.fresh();
    const listed = await world.client.torrents.files(torrentId);
    expect(listed.map(({ index, size }) => ({ index, size }))).toEqual([
      { index: 0, size: 40_000 },
      { index: 1, size: 20_000 },
    ]);
    // The option that adds `.!qB` to incomplete files is off.
    expect(listed.map(({ name }) => name)).toEqual(files.map(({ path }) => path));
  },
  "torrents/pieceStates": async (world) => {
    const { torrentId } = await world.fresh();
    expect(await world.client.torrents.pieceStates(torrentId)).toEqual([0, 0, 0, 0]);
    await expect(world.client.torrents.pieceStates(unknown)).rejects.toThrow(QbitNotFoundError);
  },
  "torrents/pieceHashes": async (world) => {
    const { torrentId } = await world.fresh();
    const hashes = await world.client.torrents.pieceHashes(torrentId);
    expect(hashes).toHaveLength(4);
    expect(hashes[0]).toMatch(/^[0-9a-f]{40}$/);
  },
  "torrents/pieceAvailability": async (world) => {
    const { torrentId } = await world.fresh();
    const ask = async () => await world.client.torrents.pieceAvailability(torrentId);
    if (!(await since(world, "2.15.1", ask))) return;
    expect(await ask()).toBeInstanceOf(Array);
  },
  "torrents/export": async (world) => {
    const { torrentId, torrent } = await world.fresh();
    if (!(await since(world, "2.8.18", async () => await world.client.torrents.export(torrentId)))) return;
    const exported = await world.client.torrents.export(torrentId);
    const info = torrent.subarray(torrent.indexOf("4:info") + 6, -1);
    expect(exported.includes(info)).toBe(true);
    await expect(world.client.torrents.export(unknown)).rejects.toThrow(QbitNotFoundError);
  },
} satisfies Rows;
