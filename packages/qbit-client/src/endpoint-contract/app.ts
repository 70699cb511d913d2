import { waitFor } from "@qbit-sidecars/testing";
import { expect } from "vitest";
import { QbitNotFoundError } from "../errors.ts";
import { since, unknown, type Rows } from "./world.ts";

/** What is asked of qBittorrent as a whole: sessions, the program, its log, what has changed, its limits. */
export const appRows = {
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
} satisfies Rows;
