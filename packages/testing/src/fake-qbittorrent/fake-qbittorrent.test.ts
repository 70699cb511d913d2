import { get as httpsGet } from "node:https";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { selfSignedCertificate } from "../certificate.ts";
import { FakeClock } from "../fake-clock.ts";
import { type FakeQbittorrent, startFakeQbittorrent } from "./fake-qbittorrent.ts";

type Init = { form?: Record<string, string>; cookie?: string; signal?: AbortSignal };

async function ask(fake: FakeQbittorrent, name: string, { form, cookie, signal }: Init = {}) {
  const response = await fetch(`${fake.url}/api/v2/${name}`, {
    ...(form && { method: "POST", body: new URLSearchParams(form) }),
    ...(cookie && { headers: { cookie } }),
    ...(signal && { signal }),
  });
  const body = await response.text();
  return { status: response.status, body, cookie: response.headers.get("set-cookie")?.split(";")[0] ?? "" };
}

const setPreferences = (fake: FakeQbittorrent, changes: Record<string, unknown>) =>
  ask(fake, "app/setPreferences", { form: { json: JSON.stringify(changes) } });

describe("on the way", () => {
  test("an answer can be late, by the fake's own clock", async () => {
    const clock = new FakeClock();
    await using fake = await startFakeQbittorrent({ clock });
    fake.faults.next("app/version", { kind: "latency", ms: 60_000 });
    const answer = ask(fake, "app/version");
    await expect.poll(() => clock.sleeping).toBe(1);
    await clock.advance(60_000);
    expect(await answer).toMatchObject({ status: 200, body: "v5.3.0" });
  });

  test("a request can go unanswered until the client gives up", async () => {
    await using fake = await startFakeQbittorrent();
    fake.faults.next("app/version", { kind: "hang" });
    await expect(ask(fake, "app/version", { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/);
    expect(fake.calls.count("app/version")).toBe(1);
  });

  test("the connection can be reset, before or after the request had its effect", async () => {
    await using fake = await startFakeQbittorrent();
    const stop = { form: { json: '{"listen_port":1234}' } };
    fake.faults.next("app/setPreferences", { kind: "reset" });
    await expect(ask(fake, "app/setPreferences", stop)).rejects.toThrow("fetch failed");
    expect(fake.preferences).toMatchObject({ listen_port: 6881 });
    fake.faults.next("app/setPreferences", { kind: "reset", applied: true });
    await expect(ask(fake, "app/setPreferences", stop)).rejects.toThrow("fetch failed");
    expect(fake.preferences).toMatchObject({ listen_port: 1234 });
  });

  test("an answer can stop in its middle", async () => {
    await using fake = await startFakeQbittorrent();
    fake.faults.next("app/preferences", { kind: "truncated" });
    await expect(ask(fake, "app/preferences")).rejects.toThrow(/terminated|fetch failed/);
    expect((await ask(fake, "app/preferences")).status).toBe(200);
  });

  test("somebody else can answer, as often as told or until it is over", async () => {
    await using fake = await startFakeQbittorrent();
    fake.faults.next("*", { kind: "answer", status: 503, body: "busy" }, 2);
    fake.faults.set("torrents/info", { kind: "answer", status: 502 });
    const statuses = async (name: string) => [
      (await ask(fake, name)).status,
      (await ask(fake, name)).status,
      (await ask(fake, name)).status,
    ];
    expect(await statuses("app/version")).toEqual([503, 503, 200]);
    expect(await statuses("torrents/info")).toEqual([502, 502, 502]);
    fake.faults.clear();
    expect((await ask(fake, "torrents/info")).status).toBe(200);
  });

  test("what was asked for is on record, without passwords", async () => {
    await using fake = await startFakeQbittorrent({ auth: { username: "me", password: "secret" } });
    await ask(fake, "auth/login", { form: { username: "me", password: "secret" } });
    expect(fake.calls.list("auth/login")).toMatchObject([{ params: { username: "me", password: "***" } }]);
  });
});

describe("going down and coming back", () => {
  test("refuses connections while it is down, and is the same afterwards", async () => {
    await using fake = await startFakeQbittorrent({ torrents: 2, preferences: { listen_port: 7000 } });
    const { port } = fake;
    await fake.down();
    await expect(ask(fake, "app/version")).rejects.toThrow("fetch failed");
    await fake.up();
    expect(fake.port).toBe(port);
    expect(JSON.parse((await ask(fake, "torrents/info")).body)).toHaveLength(2);
  });

  test("forgets sessions when it is restarted, not torrents and settings", async () => {
    const auth = { username: "me", password: "secret" };
    await using fake = await startFakeQbittorrent({ auth, torrents: 1 });
    const { cookie } = await ask(fake, "auth/login", { form: auth });
    await setPreferences(fake, {});
    fake.setPreferences({ listen_port: 7000 });
    expect((await ask(fake, "torrents/info", { cookie })).status).toBe(200);
    await fake.restart();
    expect((await ask(fake, "torrents/info", { cookie })).status).toBe(403);
    expect(fake.torrents).toHaveLength(1);
    expect(fake.preferences).toMatchObject({ listen_port: 7000 });
  });

  test("can lose its sessions alone", async () => {
    await using fake = await startFakeQbittorrent({ auth: { username: "me", password: "secret" } });
    const { cookie } = await ask(fake, "auth/login", { form: { username: "me", password: "secret" } });
    fake.dropSessions();
    expect(fake.sessions).toBe(0);
    expect((await ask(fake, "app/version", { cookie })).status).toBe(403);
  });
});

describe("letting clients in", () => {
  test("bans after five wrong passwords for an hour of its clock", async () => {
    const clock = new FakeClock();
    const auth = { username: "me", password: "secret" };
    await using fake = await startFakeQbittorrent({ version: "4.5.2", auth, clock });
    for (let attempt = 0; attempt < 5; attempt++) {
      expect(await ask(fake, "auth/login", { form: { ...auth, password: "wrong" } })).toMatchObject({
        body: "Fails.",
      });
    }
    expect((await ask(fake, "auth/login", { form: auth })).status).toBe(403);
    await clock.advance(3_599_000);
    expect((await ask(fake, "auth/login", { form: auth })).status).toBe(403);
    await clock.advance(1000);
    expect(await ask(fake, "auth/login", { form: auth })).toMatchObject({ status: 200, body: "Ok." });
  });

  test("can ban at once", async () => {
    const auth = { username: "me", password: "secret" };
    await using fake = await startFakeQbittorrent({ auth });
    fake.ban();
    expect((await ask(fake, "auth/login", { form: auth })).body).toContain("banned");
  });

  test("5.3 keeps fifteen sessions: a client without a cookie pushes the one least used out", async () => {
    await using fake = await startFakeQbittorrent();
    const { cookie } = await ask(fake, "app/version");
    for (let request = 0; request < 20; request++) await ask(fake, "app/version");
    expect(fake.sessions).toBe(15);
    expect((await ask(fake, "app/version", { cookie })).cookie).not.toBe("");
  });

  test("takes an API key from 5.2 on, and all its users share one session", async () => {
    const apiKey = `qbt_${"k".repeat(28)}`;
    await using fake = await startFakeQbittorrent({ auth: { username: "me", password: "secret" }, apiKey });
    const headers = { authorization: `Bearer ${apiKey}` };
    const poll = async (rid: number) =>
      (await (await fetch(`${fake.url}/api/v2/sync/maindata?rid=${rid}`, { headers })).json()) as {
        rid: number;
      };
    expect(await poll(0)).toMatchObject({ rid: 1, full_update: true });
    expect(await poll(1)).not.toHaveProperty("full_update");
    expect(fake.sessions).toBe(1);
  });
});

describe("listening for peers", () => {
  const status = async (fake: FakeQbittorrent) =>
    (JSON.parse((await ask(fake, "transfer/info")).body) as { connection_status: string }).connection_status;

  test("stays deaf when the same port is set, and hears again on another one", async () => {
    await using fake = await startFakeQbittorrent({ preferences: { listen_port: 7000 } });
    expect(await status(fake)).toBe("firewalled");
    fake.becomeDeaf();
    await setPreferences(fake, { listen_port: 7000, random_port: false });
    expect([await status(fake), fake.isListening]).toEqual(["disconnected", false]);
    await setPreferences(fake, { listen_port: 7001, random_port: false });
    await setPreferences(fake, { listen_port: 7000, random_port: false });
    expect([await status(fake), fake.isListening]).toEqual(["firewalled", true]);
  });

  test("settings can take a while to show", async () => {
    const clock = new FakeClock();
    await using fake = await startFakeQbittorrent({ clock, applyDelayMs: 2000 });
    await setPreferences(fake, { listen_port: 7000 });
    expect(fake.preferences).toMatchObject({ listen_port: 6881 });
    await clock.advance(2000);
    expect(fake.preferences).toMatchObject({ listen_port: 7000 });
  });

  test("random_port wins over the port in the same request", async () => {
    await using fake = await startFakeQbittorrent({ version: "4.5.2" });
    await setPreferences(fake, { listen_port: 7000, random_port: true });
    expect(fake.preferences).toMatchObject({ listen_port: 0, random_port: true });
  });

  test("4.3.0 empties add_trackers with every change that does not name it", async () => {
    await using fake = await startFakeQbittorrent({
      version: "4.3.0",
      preferences: { add_trackers: "udp://a" },
    });
    await setPreferences(fake, { listen_port: 7000 });
    expect(fake.preferences).toMatchObject({ add_trackers: "", listen_port: 7000 });
  });
});

describe("torrents", () => {
  test("of 50,000 it tells what changed, and of all in reasonable time", { timeout: 30_000 }, async () => {
    await using fake = await startFakeQbittorrent({ version: "4.5.2", torrents: 50_000 });
    const { cookie, body } = await ask(fake, "sync/maindata");
    expect(Object.keys((JSON.parse(body) as { torrents: object }).torrents)).toHaveLength(50_000);
    const id = fake.torrents[7]?.["hash"] as string;
    fake.updateTorrent(id, { state: "downloading", dlspeed: 1000 });
    const { torrents } = JSON.parse((await ask(fake, "sync/maindata?rid=1", { cookie })).body) as {
      torrents: object;
    };
    expect(torrents).toEqual({ [id]: { state: "downloading", dlspeed: 1000 } });
  });

  test("change as a test wants, until someone starts or stops them", async () => {
    await using fake = await startFakeQbittorrent();
    const id = fake.addTorrent({ name: "debian.iso", fields: { progress: 1, state: "moving", ratio: 2 } });
    expect(fake.torrents).toMatchObject([{ name: "debian.iso", state: "moving", ratio: 2, amount_left: 0 }]);
    await ask(fake, "torrents/stop", { form: { hashes: id } });
    expect(fake.torrents).toMatchObject([{ state: "stoppedUP", ratio: 2 }]);
    fake.removeTorrent(id);
    expect(fake.torrents).toEqual([]);
  });

  test("a hybrid torrent is found by its torrent id alone", async () => {
    const [hash, infohashV2] = ["a".repeat(40), "b".repeat(64)];
    await using fake = await startFakeQbittorrent({ torrents: [{ hash, infohashV2 }] });
    expect((await ask(fake, `torrents/info?hashes=${hash}`)).body).toBe("[]");
    expect(JSON.parse((await ask(fake, `torrents/info?hashes=${"b".repeat(40)}`)).body)).toHaveLength(1);
  });
});

describe("addresses", () => {
  test("speaks TLS, and sends those who come without it there", async () => {
    const { key, cert } = selfSignedCertificate({ names: ["127.0.0.1"] });
    await using fake = await startFakeQbittorrent({ https: { key, cert, redirectFromHttp: true } });
    const redirect = await fetch(`${fake.httpUrl}/api/v2/app/version`, { redirect: "manual" });
    expect([redirect.status, redirect.headers.get("location")]).toEqual([
      301,
      `${fake.url}/api/v2/app/version`,
    ]);
    const answer = await new Promise<string>((resolve, reject) => {
      httpsGet(`${fake.url}/api/v2/app/version`, { ca: cert, agent: false }, (response) =>
        resolve(text(response)),
      ).on("error", reject);
    });
    expect(answer).toBe("v5.3.0");
  });

  test("can lie below a path, as behind a proxy", async () => {
    await using fake = await startFakeQbittorrent({ basePath: "/qbittorrent" });
    expect(fake.url).toMatch(/\/qbittorrent$/);
    expect((await ask(fake, "app/version")).body).toBe("v5.3.0");
  });
});
