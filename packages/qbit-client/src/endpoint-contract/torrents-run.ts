import { expect } from "vitest";
import type { AddSettings } from "../add-torrents.ts";
import { QbitConflictError } from "../errors.ts";
import { becomes, uniqueTorrent, unknown, type Rows, type World } from "./world.ts";

/** What makes torrents come, go, run and wait. */
export const runningRows = {
  "torrents/add": async ({ client, capabilities, savePath }) => {
    const torrents = [uniqueTorrent(), uniqueTorrent()];
    const ids = torrents.map(({ torrentId }) => torrentId);
    const files = torrents.map(({ torrent }) => torrent);
    const settings: AddSettings = {
      stopped: true,
      category: "added",
      savePath: `${savePath}/elsewhere`,
      downloadLimit: 10_240,
    };
    if (capabilities.atLeast("2.6.2")) settings.tags = ["one", "two"];
    expect(await client.torrents.add({ files, ...settings })).toEqual({
      added: ids,
      duplicates: [],
      pending: [],
      failed: [],
    });
    for (const torrent of await client.torrents.info({ hashes: ids })) {
      expect(torrent).toMatchObject({ category: "added", auto_tmm: false, dl_limit: 10_240 });
      expect(torrent.save_path.replace(/\/$/, "")).toBe(`${savePath}/elsewhere`);
    }
    await expect
      .poll(async () => await client.torrents.info({ hashes: ids, filter: "stopped" }))
      .toHaveLength(2);
    const third = uniqueTorrent();
    const again = [...files, third.torrent, Buffer.from("<html>")];
    expect(await client.torrents.add({ files: again, stopped: true })).toEqual({
      added: [third.torrentId],
      duplicates: ids,
      pending: [],
      failed: [{ source: "files[3]", reason: "not a torrent file" }],
    });
    expect(await client.torrents.add({ files })).toMatchObject({ added: [], duplicates: ids });
    const magnet = `magnet:?xt=urn:btih:${unknown.replace("0", "a")}`;
    expect(await client.torrents.add({ urls: [magnet], stopped: true })).toMatchObject({
      added: [unknown.replace("0", "a")],
    });
    const refused = "http://127.0.0.1:9/none.torrent";
    expect(await client.torrents.add({ urls: [refused] })).toMatchObject({ added: [], pending: [refused] });
    await client.torrents.delete([...ids, third.torrentId, unknown.replace("0", "a")], { deleteFiles: true });
  },
  "torrents/delete": async (world) => {
    const { torrentId } = await world.fresh();
    await world.client.torrents.delete([], { deleteFiles: true });
    await world.client.torrents.delete([torrentId], { deleteFiles: false });
    await expect.poll(async () => await world.client.torrents.info({ hashes: [torrentId] })).toEqual([]);
  },
  "torrents/start": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.start([torrent.torrentId]);
    await becomes(world, torrent, { state: "stalledDL" });
    expect(await world.client.torrents.info({ hashes: [torrent.torrentId], filter: "running" })).toHaveLength(
      1,
    );
    expect(await world.client.torrents.info({ hashes: [torrent.torrentId], filter: "stalled" })).toHaveLength(
      1,
    );
  },
  "torrents/stop": async (world) => {
    const torrent = await world.fresh({ stopped: false });
    await becomes(world, torrent, { state: "stalledDL" });
    await world.client.torrents.stop([torrent.torrentId]);
    await becomes(world, torrent, { state: "stoppedDL" });
  },
  "torrents/setForceStart": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.setForceStart([torrent.torrentId], true);
    await becomes(world, torrent, { state: "forcedDL", force_start: true });
  },
  "torrents/recheck": async (world) => {
    const torrent = await world.fresh();
    await torrent.write(world.savePath);
    await world.client.torrents.recheck([torrent.torrentId]);
    await becomes(world, torrent, { progress: 1 });
    await becomes(world, torrent, { state: "stoppedUP" });
    expect(await world.client.torrents.pieceStates(torrent.torrentId)).toEqual([2, 2, 2, 2]);
  },
  "torrents/reannounce": async (world) => {
    const { torrentId } = await world.fresh();
    await world.client.torrents.reannounce([torrentId]);
    await world.client.torrents.reannounce([]);
  },
  "torrents/increasePrio": async (world) => await queueMove(world, "increasePriority"),
  "torrents/decreasePrio": async (world) => await queueMove(world, "decreasePriority"),
  "torrents/topPrio": async (world) => await queueMove(world, "topPriority"),
  "torrents/bottomPrio": async (world) => await queueMove(world, "bottomPriority"),
  "torrents/setSuperSeeding": async (world) => {
    const torrent = uniqueTorrent();
    await torrent.write(world.savePath);
    await world.client.torrents.add({
      files: [torrent.torrent],
      skipChecking: true,
      savePath: world.savePath,
    });
    await becomes(world, torrent, { state: "stalledUP" });
    await world.client.torrents.setSuperSeeding([torrent.torrentId], true);
    await becomes(world, torrent, { super_seeding: true });
  },
} satisfies Rows;

type Move = "increasePriority" | "decreasePriority" | "topPriority" | "bottomPriority";

async function queueMove(world: World, move: Move): Promise<void> {
  const { torrents } = world.client;
  await world.client.app.setPreferences({ queueing_enabled: false });
  const first = await world.fresh();
  await expect(torrents[move]([first.torrentId])).rejects.toThrow(QbitConflictError);
  await world.client.app.setPreferences({ queueing_enabled: true });
  const second = await world.fresh();
  const hashes = [first.torrentId, second.torrentId];
  const up = move === "increasePriority" || move === "topPriority";
  await torrents[move]([up ? second.torrentId : first.torrentId]);
  const order = async (): Promise<string[]> =>
    (await torrents.info({ hashes })).toSorted((a, b) => a.priority - b.priority).map(({ hash }) => hash);
  await expect.poll(order).toEqual([second.torrentId, first.torrentId]);
}
