import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { selfSignedCertificate } from "../certificate.ts";
import { isLoopback, openSockets } from "../open-sockets.ts";
import { processAlive } from "../process-alive.ts";
import { makeTorrent } from "../torrents/make-torrent.ts";
import { waitFor } from "../wait-for.ts";
import { qbittorrentVersionsUnderTest } from "./kinds.ts";
import { startQbittorrent } from "./qbittorrent.ts";
import { isMissing } from "./server-at-hand.ts";

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`qBittorrent ${version}`, () => {
    test("answers with its version, on the ports and paths that were announced", async () => {
      await using server = await startQbittorrent({ version });
      expect(await get(server.url, "app/version")).toMatch(
        new RegExp(`^v${version.replace(/\.\d+$/, "\\.")}`),
      );
      const preferences = await getPreferences(server.url);
      expect(preferences).toMatchObject({ web_ui_port: server.webPort, listen_port: server.listenPort });
      expect(String(preferences.save_path).replace(/\/$/, "")).toBe(server.savePath);
    });

    test("asks nobody for peers, ports or countries", async () => {
      await using server = await startQbittorrent({ version });
      const off = { dht: false, pex: false, lsd: false, upnp: false, web_ui_upnp: false, random_port: false };
      expect(await getPreferences(server.url)).toMatchObject({ ...off, resolve_peer_countries: false });
    });

    test("opens no socket that another machine can reach, also with a torrent to share", async () => {
      await using server = await startQbittorrent({ version });
      await addTorrent(
        server.url,
        makeTorrent({ version: "v1", files: [{ path: "a", size: 20_000 }] }).torrent,
      );
      await waitFor(async () => (await getTorrents(server.url)).length === 1, { what: "the torrent" });
      const sockets = await openSockets(server.pid);
      expect(sockets.map(({ port }) => port)).toEqual(
        expect.arrayContaining([server.webPort, server.listenPort]),
      );
      expect(sockets.filter((socket) => !isLoopback(socket))).toEqual([]);
    });

    test("keeps all its files in its profile, which is gone with it", async () => {
      const server = await startQbittorrent({ version });
      const { pid, profileDir } = server;
      const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
      const folders = environment.filter((variable) => /^(HOME|TMPDIR|XDG_\w+)=/.test(variable));
      expect(folders).toHaveLength(5);
      expect(folders.filter((folder) => !folder.includes(profileDir))).toEqual([]);
      await server[Symbol.asyncDispose]();
      expect(existsSync(profileDir)).toBe(false);
      expect(processAlive(pid)).toBe(false);
    });

    test("wants the password it was given, and no other", async () => {
      const auth = { username: "somebody", password: 'päss "word" %20' };
      await using server = await startQbittorrent({ version, auth });
      expect((await fetch(`${server.url}/api/v2/app/version`)).status).toBe(403);
      expect(await logIn(server.url, { ...auth, password: "wrong" })).toBeUndefined();
      expect(await logIn(server.url, auth)).toMatch(/SID/);
    });

    test("speaks TLS with the certificate it was given", async () => {
      const { key, cert } = selfSignedCertificate({ names: ["127.0.0.1"] });
      await using server = await startQbittorrent({ version, https: { key, cert } });
      expect(await getTrusting(`${server.url}/api/v2/app/version`, cert)).toMatch(/^v\d/);
    });

    test("has the preferences and configuration it was given, with a password as well", async () => {
      const auth = { username: "somebody", password: "secret words" };
      const conf = { Preferences: { "WebUI\\LocalHostAuth": "false" } };
      await using server = await startQbittorrent({ version, auth, conf, preferences: { max_connec: 77 } });
      expect(await getPreferences(server.url)).toMatchObject({ max_connec: 77, web_ui_username: "somebody" });
    });

    test("has the same ports, torrents and preferences after a restart", async () => {
      await using server = await startQbittorrent({ version });
      const torrent = makeTorrent({ version: "v1", files: [{ path: "a", size: 20_000 }] });
      await addTorrent(server.url, torrent.torrent);
      await waitFor(async () => (await getTorrents(server.url)).length === 1, { what: "the torrent" });
      const { pid, listenPort } = server;
      await server.restart();
      expect(server.pid).not.toBe(pid);
      expect(await getPreferences(server.url)).toMatchObject({ listen_port: listenPort });
      // 5.1 and later answer before all torrents are loaded: for a moment the list is short.
      await waitFor(async () => (await getTorrents(server.url)).length === 1, { what: "the torrent again" });
      expect(await getTorrents(server.url)).toMatchObject([{ hash: torrent.torrentId }]);
    });

    test("can be killed and started again", async () => {
      await using server = await startQbittorrent({ version });
      await server.kill();
      await expect(fetch(server.url)).rejects.toThrow("fetch failed");
      await server.start();
      expect((await fetch(server.url)).ok).toBe(true);
    });

    test("does not answer while it is frozen, and goes on afterwards", async () => {
      await using server = await startQbittorrent({ version });
      server.pause();
      await expect(fetch(server.url, { signal: AbortSignal.timeout(200) })).rejects.toThrow("timeout");
      server.resume();
      expect((await fetch(server.url)).ok).toBe(true);
    });
  });
}

async function get(url: string, path: string): Promise<string> {
  return await (await fetch(`${url}/api/v2/${path}`)).text();
}

async function getPreferences(url: string): Promise<Record<string, unknown>> {
  return JSON.parse(await get(url, "app/preferences"));
}

async function getTorrents(url: string): Promise<Record<string, unknown>[]> {
  return JSON.parse(await get(url, "torrents/info"));
}

async function addTorrent(url: string, torrent: Buffer): Promise<void> {
  const body = new FormData();
  body.append("torrents", new Blob([Uint8Array.from(torrent)]), "a.torrent");
  expect((await fetch(`${url}/api/v2/torrents/add`, { method: "POST", body })).ok).toBe(true);
}

/** The session cookie, which only a login that succeeds sets. */
async function logIn(url: string, auth: { username: string; password: string }): Promise<string | undefined> {
  const body = new URLSearchParams(auth);
  const response = await fetch(`${url}/api/v2/auth/login`, { method: "POST", body });
  return response.headers.get("set-cookie") ?? undefined;
}

function getTrusting(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { ca, agent: false }, (response) => resolve(text(response)))
      .on("error", reject)
      .end();
  });
}
