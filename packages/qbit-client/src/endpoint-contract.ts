import { randomUUID } from "node:crypto";
import { type MadeTorrent, makeTorrent, waitFor } from "@qbit-sidecars/testing";
import { expect } from "vitest";
import type { AddSettings } from "./add-torrents.ts";
import type { Capabilities } from "./capabilities.ts";
import type { QbitClient } from "./client.ts";
import type { EndpointName } from "./endpoints.ts";
import { tagsOf } from "./torrent.ts";
import { QbitConflictError, QbitNotFoundError, QbitUnsupportedError } from "./errors.ts";

/** A server that answers, real or fake, and what a row of the contract needs of it. */
export interface World {
  client: QbitClient;
  capabilities: Capabilities;
  /** A torrent of two files that nobody else touches, added and stopped. */
  fresh(settings?: AddSettings): Promise<MadeTorrent>;
  savePath: string;
}

const unknown = "0123456789012345678901234567890123456789";

/** Makes a torrent that exists nowhere else. */
export function uniqueTorrent(): MadeTorrent {
  const files = [
    { path: "first.bin", size: 40_000 },
    { path: "folder/second.bin", size: 20_000 },
  ];
  return makeTorrent({ version: "v1", files, name: `t-${randomUUID()}`, seed: randomUUID() });
}

function poll<T>(look: () => Promise<T>) {
  return expect.poll(look, { timeout: 5000 });
}

/** Waits until a torrent's tags are these: their order is not defined before 4.6. */
async function tagsBecome(world: World, torrent: MadeTorrent, tags: string[]): Promise<void> {
  const hashes = [torrent.torrentId];
  const look = async () => (await world.client.torrents.info({ hashes })).flatMap(tagsOf).toSorted();
  await poll(look).toEqual(tags);
}

/** Waits until a torrent's field is as expected: qBittorrent applies most changes after its answer. */
async function becomes(world: World, torrent: MadeTorrent, fields: Record<string, unknown>): Promise<void> {
  const hashes = [torrent.torrentId];
  await poll(async () => (await world.client.torrents.info({ hashes }))[0]).toMatchObject(fields);
}

/** For what an older qBittorrent lacks: the client says so by itself. */
async function since(world: World, webApi: string, call: () => Promise<unknown>): Promise<boolean> {
  if (world.capabilities.atLeast(webApi)) return true;
  await expect(call()).rejects.toThrow(QbitUnsupportedError);
  return false;
}

/**
 * One test for each row of the endpoint table: it makes the call through the client's own method and looks at what
 * became of it. A row without a test does not compile.
 */
export const contract: Record<EndpointName, (world: World) => Promise<void>> = {
  "auth/login": async ({ client }) => {
    await client.auth.login();
    expect(await client.transfer.info()).toMatchObject({ dl_info_speed: expect.any(Number) });
  },
  "auth/logout": async ({ client }) => {
    await client.auth.logout();
    await client.auth.logout();
    expect((await client.probe()).ok).toBe(true);
  },
  "app/version": async ({ client }) => {
    expect((await client.capabilities()).app).toMatch(/^\d+\.\d+\.\d+/);
  },
  "app/webapiVersion": async ({ client }) => {
    expect((await client.capabilities()).webApi).toMatch(/^2\.\d+\.\d+$/);
  },
  "app/buildInfo": async ({ client }) => {
    expect((await client.app.buildInfo()).libtorrent).toMatch(/^\d+\.\d+/);
  },
  "app/shutdown": async ({ client }) => {
    await client.app.shutdown();
    await waitFor(async () => !(await client.probe()).ok, { what: "the server to be gone" });
  },
  "app/preferences": async ({ client }) => {
    expect(await client.app.preferences()).toMatchObject({
      listen_port: expect.any(Number),
      dht: expect.any(Boolean),
    });
  },
  "app/setPreferences": async ({ client }) => {
    await client.app.setPreferences({ add_trackers_enabled: true, add_trackers: "http://127.0.0.1:9/a" });
    await client.app.setPreferences({ max_active_uploads: 17 });
    const { max_active_uploads, add_trackers_enabled, add_trackers } = await client.app.preferences();
    expect({ max_active_uploads, add_trackers_enabled, add_trackers }).toEqual({
      max_active_uploads: 17,
      add_trackers_enabled: true,
      add_trackers: "http://127.0.0.1:9/a",
    });
    await client.app.setPreferences({ add_trackers_enabled: false, add_trackers: "" });
  },
  "app/defaultSavePath": async ({ client, savePath }) => {
    expect((await client.app.defaultSavePath()).replace(/\/$/, "")).toBe(savePath);
  },
  "app/networkInterfaceList": async ({ client }) => {
    expect(await client.app.networkInterfaces()).toContainEqual({ name: "lo", value: "lo" });
  },
  "app/networkInterfaceAddressList": async ({ client }) => {
    expect(await client.app.networkInterfaceAddresses("lo")).toContain("127.0.0.1");
    expect(await client.app.networkInterfaceAddresses("nosuch0")).toEqual([]);
  },
  "app/getDirectoryContent": async (world) => {
    const { client, savePath } = world;
    if (!(await since(world, "2.11.2", async () => await client.app.directoryContent("/")))) return;
    const parent = savePath.replace(/\/[^/]+$/, "");
    expect(await client.app.directoryContent(parent, { kind: "dirs" })).toContain(savePath);
    await expect(client.app.directoryContent("/no/such/directory")).rejects.toThrow(QbitNotFoundError);
  },
  "app/cookies": async (world) => {
    if (!(await since(world, "2.11.4", async () => await world.client.app.cookies()))) return;
    expect(await world.client.app.cookies()).toBeInstanceOf(Array);
  },
  "app/setCookies": async (world) => {
    const { client } = world;
    const cookie = { name: "a", domain: "example.org", path: "/", value: "b", expirationDate: 4_000_000_000 };
    if (!(await since(world, "2.11.4", async () => await client.app.setCookies([cookie])))) return;
    await client.app.setCookies([cookie]);
    expect(await client.app.cookies()).toEqual([cookie]);
  },
  "app/processInfo": async (world) => {
    if (!(await since(world, "2.15.1", async () => await world.client.app.startedAt()))) return;
    expect(Date.now() - (await world.client.app.startedAt()).getTime()).toBeLessThan(600_000);
  },
  "app/rotateAPIKey": async (world) => {
    if (!(await since(world, "2.15.1", async () => await world.client.app.rotateApiKey()))) return;
    expect(await world.client.app.rotateApiKey()).toMatch(/^qbt_\w{28}$/);
  },
  "app/deleteAPIKey": async (world) => {
    if (!(await since(world, "2.15.1", async () => await world.client.app.deleteApiKey()))) return;
    await world.client.app.rotateApiKey();
    await world.client.app.deleteApiKey();
    expect((await world.client.app.preferences()).web_ui_api_key ?? "").toBe("");
  },
  "log/main": async ({ client }) => {
    const entries = await client.log.main();
    expect(Math.abs(Date.now() / 1000 - (entries[0]?.timestamp ?? 0))).toBeLessThan(600);
    const lastKnownId = entries.at(-1)?.id ?? -1;
    expect((await client.log.main({ lastKnownId })).every(({ id }) => id > lastKnownId)).toBe(true);
  },
  "log/peers": async ({ client }) => {
    expect(await client.log.peers()).toBeInstanceOf(Array);
  },
  "sync/maindata": async (world) => {
    const torrent = await world.fresh();
    const full = await world.client.sync.maindata(0);
    expect(full.full_update).toBe(true);
    expect(full.torrents?.[torrent.torrentId]).toMatchObject({ name: torrent.name });
    await world.client.torrents.addTags([torrent.torrentId], ["from-maindata"]);
    // Other fields of the torrent may change in between, in an answer of their own.
    await waitFor(
      async () => {
        const delta = await world.client.sync.maindata(full.rid);
        return delta.torrents?.[torrent.torrentId]?.tags === "from-maindata" && delta.full_update !== true;
      },
      { what: "a delta with the new tag" },
    );
  },
  "sync/torrentPeers": async (world) => {
    const { torrentId } = await world.fresh();
    expect(await world.client.sync.torrentPeers(torrentId)).toEqual({});
    await expect(world.client.sync.torrentPeers(unknown)).rejects.toThrow(QbitNotFoundError);
  },
  "transfer/info": async ({ client }) => {
    const { connection_status } = await client.transfer.info();
    expect(["connected", "firewalled", "disconnected"]).toContain(connection_status);
  },
  "transfer/speedLimitsMode": async ({ client }) => {
    await client.transfer.setAlternativeLimits(false);
    expect(await client.transfer.alternativeLimits()).toBe(false);
  },
  "transfer/setSpeedLimitsMode": async ({ client }) => {
    for (const on of [true, true, false]) {
      await client.transfer.setAlternativeLimits(on);
      expect(await client.transfer.alternativeLimits()).toBe(on);
    }
  },
  "transfer/toggleSpeedLimitsMode": async ({ client }) => {
    await client.transfer.setAlternativeLimits(false);
    await client.transfer.toggleAlternativeLimits();
    expect(await client.transfer.alternativeLimits()).toBe(true);
    await client.transfer.toggleAlternativeLimits();
  },
  "transfer/downloadLimit": async ({ client }) => {
    await client.transfer.setDownloadLimit(0);
    expect(await client.transfer.downloadLimit()).toBe(0);
  },
  "transfer/setDownloadLimit": async ({ client }) => {
    await client.transfer.setDownloadLimit(1024 * 1024);
    expect(await client.transfer.downloadLimit()).toBe(1024 * 1024);
    await client.transfer.setDownloadLimit(0);
  },
  "transfer/uploadLimit": async ({ client }) => {
    await client.transfer.setUploadLimit(0);
    expect(await client.transfer.uploadLimit()).toBe(0);
  },
  "transfer/setUploadLimit": async ({ client }) => {
    await client.transfer.setUploadLimit(512 * 1024);
    expect(await client.transfer.uploadLimit()).toBe(512 * 1024);
    await client.transfer.setUploadLimit(0);
  },
  "transfer/banPeers": async ({ client }) => {
    await client.transfer.banPeers(["203.0.113.7:1234"]);
    expect((await client.app.preferences()).banned_IPs).toContain("203.0.113.7");
  },
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
    await poll(async () => await client.torrents.info({ hashes: ids, filter: "stopped" })).toHaveLength(2);
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
    await poll(async () => await world.client.torrents.info({ hashes: [torrentId] })).toEqual([]);
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
    await poll(listed).toEqual(["http://127.0.0.1:9/a b?x=1&y=2%7Cz", "http://127.0.0.1:9/c"]);
  },
  "torrents/editWebSeed": async (world) => {
    const { torrentId } = await world.fresh();
    const [url, newUrl] = ["http://127.0.0.1:9/old", "http://127.0.0.1:9/new"] as const;
    const edit = async () => await world.client.torrents.editWebSeed(torrentId, { url, newUrl });
    if (!(await since(world, "2.11.4", edit))) return;
    await world.client.torrents.addWebSeeds(torrentId, [url]);
    await edit();
    await poll(async () => await world.client.torrents.webseeds(torrentId)).toEqual([{ url: newUrl }]);
    await expect(edit()).rejects.toThrow(QbitConflictError);
  },
  "torrents/removeWebSeeds": async (world) => {
    const { torrentId } = await world.fresh();
    const urls = ["http://127.0.0.1:9/a"];
    const remove = async () => await world.client.torrents.removeWebSeeds(torrentId, urls);
    if (!(await since(world, "2.11.4", remove))) return;
    await world.client.torrents.addWebSeeds(torrentId, urls);
    await remove();
    await poll(async () => await world.client.torrents.webseeds(torrentId)).toEqual([]);
  },
  "torrents/addPeers": async (world) => {
    const torrent = await world.fresh({ stopped: false });
    await becomes(world, torrent, { state: "stalledDL" });
    await world.client.torrents.addPeers([torrent.torrentId], ["127.0.0.1:9"]);
    await expect(world.client.torrents.addPeers([torrent.torrentId], ["nonsense"])).rejects.toMatchObject({
      kind: "badRequest",
    });
  },
  "torrents/increasePrio": async (world) => await queueMove(world, "increasePriority"),
  "torrents/decreasePrio": async (world) => await queueMove(world, "decreasePriority"),
  "torrents/topPrio": async (world) => await queueMove(world, "topPriority"),
  "torrents/bottomPrio": async (world) => await queueMove(world, "bottomPriority"),
  "torrents/filePrio": async (world) => {
    const { torrentId } = await world.fresh();
    const priorities = async () =>
      (await world.client.torrents.files(torrentId)).map(({ priority }) => priority);
    await world.client.torrents.setFilePriority(torrentId, { indexes: [0, 1], priority: 7 });
    // 4.2 would start the second change from the priorities before the first.
    await poll(priorities).toEqual([7, 7]);
    await world.client.torrents.setFilePriority(torrentId, { indexes: [1], priority: 0 });
    await poll(priorities).toEqual([7, 0]);
  },
  "torrents/downloadLimit": async (world) => {
    const { torrentId } = await world.fresh();
    expect(Object.keys(await world.client.torrents.downloadLimits([torrentId]))).toEqual([torrentId]);
  },
  "torrents/setDownloadLimit": async (world) => {
    const { torrentId } = await world.fresh();
    await world.client.torrents.setDownloadLimit([torrentId], 20_480);
    await poll(async () => await world.client.torrents.downloadLimits([torrentId])).toEqual({
      [torrentId]: 20_480,
    });
  },
  "torrents/uploadLimit": async (world) => {
    const { torrentId } = await world.fresh();
    expect(Object.keys(await world.client.torrents.uploadLimits([torrentId]))).toEqual([torrentId]);
  },
  "torrents/setUploadLimit": async (world) => {
    const { torrentId } = await world.fresh();
    await world.client.torrents.setUploadLimit([torrentId], 10_240);
    await poll(async () => await world.client.torrents.uploadLimits([torrentId])).toEqual({
      [torrentId]: 10_240,
    });
  },
  "torrents/setShareLimits": async (world) => {
    const torrent = await world.fresh();
    const hashes = [torrent.torrentId];
    await world.client.torrents.setShareLimits(hashes, { ratio: 1.5, seedingTimeMinutes: 90 });
    await becomes(world, torrent, { ratio_limit: 1.5, seeding_time_limit: 90 });
    await world.client.torrents.setShareLimits(hashes, { ratio: "unlimited" });
    await becomes(world, torrent, { ratio_limit: -1, seeding_time_limit: -2 });
    const inactive = async () =>
      await world.client.torrents.setShareLimits(hashes, { inactiveSeedingTimeMinutes: 5 });
    if (!(await since(world, "2.9.2", inactive))) return;
    await inactive();
    await becomes(world, torrent, { inactive_seeding_time_limit: 5 });
    const action = async () =>
      await world.client.torrents.setShareLimits(hashes, { action: "Stop", mode: "MatchAll" });
    if (!(await since(world, "2.16.0", action))) return;
    await action();
    await becomes(world, torrent, { share_limit_action: "Stop", share_limits_mode: "MatchAll" });
  },
  "torrents/setLocation": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.setLocation([torrent.torrentId], `${world.savePath}/moved`);
    await becomes(world, torrent, { save_path: expect.stringMatching(/\/moved\/?$/) });
  },
  "torrents/setSavePath": async (world) => {
    const torrent = await world.fresh();
    const path = `${world.savePath}/saved`;
    const set = async () => await world.client.torrents.setSavePath([torrent.torrentId], path);
    if (!(await since(world, "2.8.4", set))) return;
    await set();
    await becomes(world, torrent, { save_path: path });
  },
  "torrents/setDownloadPath": async (world) => {
    const torrent = await world.fresh();
    const path = `${world.savePath}/incomplete`;
    const set = async () => await world.client.torrents.setDownloadPath([torrent.torrentId], path);
    if (!(await since(world, "2.8.4", set))) return;
    await set();
    await becomes(world, torrent, { download_path: path });
  },
  "torrents/rename": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.rename(torrent.torrentId, "another name");
    await becomes(world, torrent, { name: "another name" });
    await expect(world.client.torrents.rename(unknown, "x")).rejects.toThrow(QbitNotFoundError);
  },
  "torrents/renameFile": async (world) => {
    const { torrentId, name } = await world.fresh();
    const paths = { oldPath: `${name}/folder/second.bin`, newPath: `${name}/folder/renamed.bin` };
    await world.client.torrents.renameFile(torrentId, paths);
    await poll(async () => (await world.client.torrents.files(torrentId)).map((file) => file.name)).toEqual([
      `${name}/first.bin`,
      paths.newPath,
    ]);
    const elsewhere = { oldPath: `${name}/first.bin`, newPath: `${name}/new folder/first.bin` };
    await since(world, "2.8.1", async () => await world.client.torrents.renameFile(torrentId, elsewhere));
  },
  "torrents/renameFolder": async (world) => {
    const { torrentId, name } = await world.fresh();
    const paths = { oldPath: `${name}/folder`, newPath: `${name}/dir` };
    const rename = async () => await world.client.torrents.renameFolder(torrentId, paths);
    if (!(await since(world, "2.8.2", rename))) return;
    await rename();
    await poll(async () => (await world.client.torrents.files(torrentId)).map((file) => file.name)).toContain(
      `${name}/dir/second.bin`,
    );
  },
  "torrents/setCategory": async (world) => {
    const torrent = await world.fresh();
    const hashes = [torrent.torrentId];
    await expect(world.client.torrents.setCategory(hashes, "no such category")).rejects.toThrow(
      QbitConflictError,
    );
    const name = randomUUID();
    await world.client.torrents.createCategory({ name });
    await world.client.torrents.setCategory(hashes, name);
    await becomes(world, torrent, { category: name });
    await world.client.torrents.setCategory(hashes, "");
    await becomes(world, torrent, { category: "" });
  },
  "torrents/categories": async ({ client }) => {
    const name = randomUUID();
    await client.torrents.createCategory({ name });
    expect((await client.torrents.categories())[name]).toMatchObject({ name, savePath: "" });
  },
  "torrents/createCategory": async ({ client }) => {
    const name = randomUUID();
    await client.torrents.createCategory({ name, savePath: "/tmp/somewhere" });
    expect((await client.torrents.categories())[name]).toMatchObject({ savePath: "/tmp/somewhere" });
    await expect(client.torrents.createCategory({ name })).rejects.toThrow(QbitConflictError);
  },
  "torrents/editCategory": async ({ client }) => {
    const name = randomUUID();
    await client.torrents.createCategory({ name });
    await client.torrents.editCategory({ name, savePath: "/tmp/elsewhere" });
    expect((await client.torrents.categories())[name]).toMatchObject({ savePath: "/tmp/elsewhere" });
  },
  "torrents/removeCategories": async ({ client }) => {
    const names = [randomUUID(), randomUUID()];
    for (const name of names) await client.torrents.createCategory({ name });
    await client.torrents.removeCategories(names);
    expect(Object.keys(await client.torrents.categories())).not.toEqual(expect.arrayContaining(names));
  },
  "torrents/tags": async ({ client }) => {
    expect(await client.torrents.tags()).toBeInstanceOf(Array);
  },
  "torrents/createTags": async ({ client }) => {
    const tags = [randomUUID(), `with space ${randomUUID()}`];
    await client.torrents.createTags(tags);
    expect(await client.torrents.tags()).toEqual(expect.arrayContaining(tags));
  },
  "torrents/deleteTags": async ({ client }) => {
    const tags = [randomUUID(), randomUUID()];
    await client.torrents.createTags(tags);
    await client.torrents.deleteTags(tags);
    expect(await client.torrents.tags()).not.toEqual(expect.arrayContaining(tags));
  },
  "torrents/addTags": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.addTags([torrent.torrentId], ["b", "a"]);
    await tagsBecome(world, torrent, ["a", "b"]);
  },
  "torrents/removeTags": async (world) => {
    const torrent = await world.fresh();
    const hashes = [torrent.torrentId];
    await world.client.torrents.addTags(hashes, ["a", "b", "c"]);
    await world.client.torrents.removeTags(hashes, []);
    await world.client.torrents.removeTags(hashes, ["b"]);
    await tagsBecome(world, torrent, ["a", "c"]);
    await world.client.torrents.removeAllTags(hashes);
    await tagsBecome(world, torrent, []);
  },
  "torrents/setTags": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.addTags([torrent.torrentId], ["a", "b"]);
    await world.client.torrents.setTags([torrent.torrentId], ["b", "c"]);
    await tagsBecome(world, torrent, ["b", "c"]);
    await world.client.torrents.setTags([torrent.torrentId], []);
    await tagsBecome(world, torrent, []);
  },
  "torrents/setComment": async (world) => {
    const torrent = await world.fresh();
    const set = async () => await world.client.torrents.setComment([torrent.torrentId], "said later");
    if (!(await since(world, "2.15.1", set))) return;
    await set();
    await becomes(world, torrent, { comment: "said later" });
  },
  "torrents/setAutoManagement": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.setAutoManagement([torrent.torrentId], true);
    await becomes(world, torrent, { auto_tmm: true });
  },
  "torrents/toggleSequentialDownload": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.toggleSequentialDownload([torrent.torrentId]);
    await becomes(world, torrent, { seq_dl: true });
  },
  "torrents/toggleFirstLastPiecePrio": async (world) => {
    const torrent = await world.fresh();
    await world.client.torrents.toggleFirstLastPiecePrio([torrent.torrentId]);
    await becomes(world, torrent, { f_l_piece_prio: true });
  },
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
};

/** What the fake does not play, because no app needs it or because it has no disk and no process of its own. */
export const notOnTheFake: ReadonlySet<EndpointName> = new Set([
  "app/shutdown",
  "app/getDirectoryContent",
  "app/cookies",
  "app/setCookies",
  "app/processInfo",
  "transfer/banPeers",
  "torrents/recheck",
  "torrents/pieceAvailability",
  "torrents/addWebSeeds",
  "torrents/editWebSeed",
  "torrents/removeWebSeeds",
  "torrents/setSuperSeeding",
]);

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
  await poll(order).toEqual([second.torrentId, first.torrentId]);
}
