import {
  FakeClock,
  isMissing,
  qbittorrentVersionsUnderTest,
  selfSignedCertificate,
  startQbittorrent,
} from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import type { Auth } from "./auth.ts";
import { QbitClient } from "./client.ts";
import { QbitAuthError, QbitBannedError } from "./errors.ts";
import type { QbitEvent } from "./events.ts";
import { MaindataStore } from "./maindata-store.ts";
import { compareVersions } from "./version.ts";

const login = { username: "somebody", password: 'pass & word = "ü" %' };
const right: Auth = { kind: "password", ...login };
const wrong: Auth = { kind: "password", ...login, password: "guess" };

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`a session with qBittorrent ${version}`, () => {
    test("is opened by a password, whatever the cookie is called, and again after a restart", async () => {
      await using server = await startQbittorrent({ version, auth: login });
      const events: string[] = [];
      using client = new QbitClient({
        url: server.url,
        auth: right,
        onEvent: ({ type }) => void events.push(type),
      });
      await client.transfer.info();
      await server.restart();
      await client.transfer.info();
      await client.auth.logout();
      await client.transfer.info();
      expect(events.filter((type) => type === "login")).toHaveLength(3);
      expect(events.filter((type) => type === "sessionLost")).toHaveLength(1);
    });

    test("is refused to a wrong password without a ban, however long it is tried", async () => {
      await using server = await startQbittorrent({ version, auth: login });
      const clock = new FakeClock();
      using guessing = new QbitClient({ url: server.url, auth: wrong, clock });
      for (let hour = 0; hour < 48; hour += 1) {
        await expect(guessing.transfer.info()).rejects.toThrow(QbitAuthError);
        await clock.advance(3_600_000);
      }
      using client = new QbitClient({ url: server.url, auth: right });
      await expect(client.transfer.info()).resolves.toBeDefined();
    });

    test("that waits notices a restart, which ends its wait and a ban", async () => {
      await using server = await startQbittorrent({ version, auth: login });
      const clock = new FakeClock();
      const tries: number[] = [];
      const onEvent = (event: QbitEvent): void =>
        void (event.type === "loginRefused" && tries.push(event.tries));
      using guessing = new QbitClient({ url: server.url, auth: wrong, clock, onEvent });
      using banned = new QbitClient({ url: server.url, auth: right, clock });
      await expect(guessing.transfer.info()).rejects.toThrow(QbitAuthError);
      for (let program = 0; program < 4; program += 1) {
        using another = new QbitClient({ url: server.url, auth: wrong });
        await expect(another.transfer.info()).rejects.toThrow(QbitAuthError);
      }
      for (let knock = 0; knock < 20; knock += 1) {
        await expect(banned.transfer.info()).rejects.toThrow(QbitBannedError);
        await clock.advance(20_000);
      }
      await server.stop();
      for (const client of [guessing, banned])
        await expect(client.transfer.info()).rejects.toMatchObject({ reason: "refused" });
      await server.start();
      await expect(banned.transfer.info()).resolves.toBeDefined();
      await expect(guessing.transfer.info()).rejects.toThrow(QbitAuthError);
      expect(tries).toEqual([1, 1]);
    });

    test("is told apart from a ban, and from a server that wants no password at all", async () => {
      await using server = await startQbittorrent({ version, auth: login });
      for (let program = 0; program < 5; program += 1) {
        using guessing = new QbitClient({ url: server.url, auth: wrong });
        await expect(guessing.transfer.info()).rejects.toThrow(QbitAuthError);
      }
      using banned = new QbitClient({ url: server.url, auth: right });
      await expect(banned.transfer.info()).rejects.toThrow(QbitBannedError);
      await using open = await startQbittorrent({ version });
      using bypassed = new QbitClient({ url: open.url, auth: wrong });
      await expect(bypassed.transfer.info()).resolves.toBeDefined();
    });

    test("with a key is opened by 5.2 and newer, and explained by older ones", async () => {
      await using server = await startQbittorrent({ version, auth: login });
      using admin = new QbitClient({ url: server.url, auth: right });
      const modern = compareVersions(version, "5.2.0") >= 0;
      const apiKey = modern ? await admin.app.rotateApiKey() : `qbt_${"a".repeat(28)}`;
      using client = new QbitClient({ url: server.url, auth: { kind: "apiKey", apiKey } });
      const explanation = modern ? /^qBittorrent 5\.\d/ : /does not know API keys/;
      expect((await client.probe()).explanation).toMatch(explanation);
      using stranger = new QbitClient({
        url: server.url,
        auth: { kind: "apiKey", apiKey: `qbt_${"b".repeat(28)}` },
      });
      const why = modern ? "qBittorrent refuses the API key" : "does not know API keys";
      await expect(stranger.transfer.info()).rejects.toThrow(why);
    });

    test("over TLS trusts the certificate it is given, and no other", async () => {
      const certificate = selfSignedCertificate({ names: ["127.0.0.1"] });
      await using server = await startQbittorrent({ version, https: certificate });
      using trusting = new QbitClient({ url: server.url, ca: certificate.cert });
      await expect(trusting.transfer.info()).resolves.toBeDefined();
      using stranger = new QbitClient({ url: server.url });
      await expect(stranger.transfer.info()).rejects.toMatchObject({ kind: "unreachable", reason: "tls" });
      using plain = new QbitClient({ url: server.url.replace("https:", "http:") });
      await expect(plain.transfer.info()).rejects.toThrow("perhaps it speaks HTTPS");
    });

    test("that ends in the middle loses nothing of what a store knows", async () => {
      await using server = await startQbittorrent({ version, auth: login });
      using client = new QbitClient({ url: server.url, auth: right });
      const store = new MaindataStore(client.sync);
      await client.torrents.createTags(["first"]);
      expect((await store.poll()).full).toBe(true);
      expect((await store.poll()).full).toBe(false);
      await server.restart();
      await client.torrents.createTags(["second"]);
      await store.poll();
      await expect.poll(async () => (await store.poll()).full).toBe(false);
      expect([...store.tags].toSorted()).toEqual(["first", "second"]);
    });
  });
}
