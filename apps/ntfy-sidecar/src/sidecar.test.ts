import { freePort, showOnPhone, waitFor } from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { startWorld, type World } from "./sidecar-under-test.ts";
import { done, downloading, hash, messagesOf, quiet, screenOf, sent, started } from "./sidecar.fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

describe("the document's story", () => {
  test("a tracked torrent is one quiet line that fills up, one sound when it is done, and nothing stale is left", async () => {
    await using at = await startWorld();
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Debian", fields: downloading });
    expect(await at.post(`/track?hash=${hash}`)).toEqual({
      status: 200,
      text: `Tracking started for ${hash}`,
    });
    expect(await at.post(`/track?hash=${hash}`)).toEqual({ status: 200, text: `Already tracking ${hash}` });
    await sent(at, "0% [");
    at.qbittorrent.updateTorrent(hash, { progress: 0.29, eta: 8_640_000, dlspeed: 1_572_864 });
    await sent(at, "28%");
    expect(screenOf(at)).toMatchObject({
      cards: [
        {
          sequence: `qbit-${hash}`,
          title: "Debian",
          message: "28% [███░░░░░░░]\nSpeed: 1.5 MB/s\nETA: ∞",
          tags: ["arrow_down"],
          priority: 2,
        },
      ],
      sounds: [],
    });
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    await quiet(at);
    const { cards, sounds, appeared } = screenOf(at);
    expect(cards).toEqual([
      {
        sequence: `qbit-${hash}-done`,
        title: "Download Complete",
        message: "Debian has finished downloading.",
        tags: ["white_check_mark"],
        priority: 4,
      },
    ]);
    expect(sounds).toEqual(cards);
    expect(appeared).toBe(2);
  });

  test("completion under the progress card's own id, as the document has it, would make no sound", () => {
    const message = { time: 0, event: "message" as const, topic: "t", sequence_id: "qbit-x" };
    const { sounds } = showOnPhone([
      { ...message, id: "1", priority: 2 },
      { ...message, id: "2", priority: 4 },
    ]);
    expect(sounds).toEqual([]);
  });

  test("100 % and completion are not both told", async () => {
    await using at = await startWorld();
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Debian", fields: { ...downloading, progress: 0.5 } });
    await at.post(`/track?hash=${hash}`);
    await sent(at, "50%");
    at.qbittorrent.updateTorrent(hash, { progress: 1, state: "moving", amount_left: 0, downloaded: 1000 });
    const looks = at.qbittorrent.calls.count("sync/maindata");
    await waitFor(() => at.qbittorrent.calls.count("sync/maindata") > looks + 1, { what: "two more looks" });
    expect(screenOf(at).cards.map(({ tags }) => tags[0])).toEqual(["arrow_down"]);
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    await quiet(at);
    expect(messagesOf(at).map(({ message }) => message?.split(" ")[0])).toEqual(["50%", "Debian"]);
  });
});

describe("which torrents", () => {
  test.each([
    ["its v1 infohash", (v1: string, _v2: string) => `hash=${v1}`],
    ["its v2 infohash", (_v1: string, v2: string) => `hash=${v2}`],
    ["its torrent id", (_v1: string, v2: string) => `hash=${v2.slice(0, 40)}`],
    [
      "all that the installed hook sends",
      (v1: string, v2: string) => `hash=${v1}&v2=${v2}&id=${v2.slice(0, 40)}`,
    ],
    ["- for the v1 infohash it has not", (_v1: string, v2: string) => `hash=-&v2=${v2}`],
    ["- alone, so that it has to be found", () => "hash=-"],
  ])("a hybrid torrent is found by %s", async (_what, query) => {
    await using at = await startWorld();
    await started(at);
    const v1 = "1".repeat(40);
    const v2 = "2".repeat(64);
    const id = at.qbittorrent.addTorrent({ hash: v1, infohashV2: v2, name: "Hybrid", fields: downloading });
    expect((await at.post(`/track?${query(v1, v2)}`)).status).toBeLessThan(300);
    await sent(at, "0% [");
    expect((await at.post(`/track?hash=${v1}`)).text).toBe(`Already tracking ${v1}`);
    at.qbittorrent.updateTorrent(id, done(Date.now()));
    await quiet(at);
    expect(screenOf(at).sounds).toHaveLength(1);
  });

  test("what is downloading at the start is followed without a hook", async () => {
    await using at = await startWorld({
      qbittorrent: { torrents: [{ hash, name: "Early", fields: downloading }] },
    });
    await sent(at, "0% [");
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    await sent(at, "Early has finished");
    await quiet(at);
    expect(screenOf(at).sounds).toHaveLength(1);
  });

  test("what was there already (cross-seeds, rechecked data, no wanted bytes) is not announced", async () => {
    await using at = await startWorld();
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Cross-seed", fields: { ...downloading, state: "stoppedDL" } });
    await at.post(`/track?hash=${hash}`);
    for (const state of ["checkingDL", "checkingUP"]) {
      at.qbittorrent.updateTorrent(hash, { state, progress: 0.99 });
      const looks = at.qbittorrent.calls.count("sync/maindata");
      await waitFor(() => at.qbittorrent.calls.count("sync/maindata") > looks, { what: "a look" });
    }
    at.qbittorrent.updateTorrent(hash, { ...done(Date.now()), downloaded: 0 });
    await quiet(at);
    expect(messagesOf(at)).toEqual([]);
  });

  test("with DISCOVER no hook is needed, and an added torrent can be told of", async () => {
    await using at = await startWorld({ env: { DISCOVER: "true", NOTIFY_ADDED: "true" } });
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Found", fields: downloading });
    await waitFor(() => messagesOf(at).some(({ title }) => title === "Torrent added"), { what: "added" });
    await sent(at, "0% [");
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    await sent(at, "Found has finished");
  });

  test("a finished hook is faster than the next look", async () => {
    await using at = await startWorld({ env: { POLL_INTERVAL: "10m" } });
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Fast", fields: downloading });
    await at.post(`/track?hash=${hash}`);
    await sent(at, "0% [");
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    expect(await at.post(`/done?hash=${hash}`)).toEqual({ status: 200, text: `Looking at ${hash}` });
    await sent(at, "Fast has finished");
    await at.post(`/done?hash=${hash}`);
    await quiet(at);
    expect(screenOf(at).sounds).toHaveLength(1);
  });
});

describe("a torrent whose category changes while it downloads", () => {
  const startedWith = async (at: World, category: string) => {
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Moved", category, fields: { ...downloading, progress: 0.5 } });
    await at.post(`/track?hash=${hash}`);
  };
  const cardsOf = (at: World, topic: string) => showOnPhone(at.ntfy.messages(topic)).cards;

  test("to one that is not wanted leaves no card behind, and makes no sound", async () => {
    await using at = await startWorld({ env: { NOTIFY_CATEGORIES_EXCLUDE: "secret" } });
    await startedWith(at, "linux");
    await sent(at, "50%");
    at.qbittorrent.updateTorrent(hash, { category: "secret", progress: 0.8 });
    await waitFor(() => cardsOf(at, "downloads").length === 0, { what: "the card taken away" });
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    await quiet(at);
    expect(screenOf(at)).toMatchObject({ cards: [], sounds: [] });
    expect(messagesOf(at)).toHaveLength(1);
  });

  test("to one with a topic of its own takes its card along", async () => {
    await using at = await startWorld({ env: { NTFY_ROUTES: "tv=shows" } });
    await startedWith(at, "linux");
    await sent(at, "50%");
    at.qbittorrent.updateTorrent(hash, { category: "tv" });
    await waitFor(() => cardsOf(at, "shows").length === 1, { what: "the card on the other topic" });
    expect(cardsOf(at, "downloads")).toEqual([]);
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    await quiet(at);
    expect(cardsOf(at, "shows").map(({ title }) => title)).toEqual(["Download Complete"]);
    expect(cardsOf(at, "downloads")).toEqual([]);
  });

  test("to a wanted one gets its card then", async () => {
    await using at = await startWorld({ env: { NOTIFY_CATEGORIES: "linux" } });
    await startedWith(at, "");
    const looks = at.qbittorrent.calls.count("sync/maindata");
    await waitFor(() => at.qbittorrent.calls.count("sync/maindata") > looks + 1, { what: "two looks" });
    expect(messagesOf(at)).toEqual([]);
    at.qbittorrent.updateTorrent(hash, { category: "linux" });
    await sent(at, "50%");
  });

  test("torrents that are not wanted take no card from those that are", async () => {
    await using at = await startWorld({ env: { NOTIFY_CATEGORIES_EXCLUDE: "secret", PROGRESS_CARDS: "1" } });
    await startedWith(at, "secret");
    const looks = at.qbittorrent.calls.count("sync/maindata");
    await waitFor(() => at.qbittorrent.calls.count("sync/maindata") > looks, { what: "a look" });
    at.qbittorrent.addTorrent({ hash: "b".repeat(40), name: "Wanted", fields: downloading });
    await at.post(`/track?hash=${"b".repeat(40)}`);
    await sent(at, "0% [");
  });
});

test("hooks from elsewhere are answered on every address, with a warning where no token is asked for", async () => {
  const port = await freePort();
  for (const [env, isWarned] of [
    [{ TRACK_TOKEN: "s3cret" }, false],
    [{}, true],
  ] as const) {
    await using at = await startWorld({ env: { LISTEN_ADDR: `:${port}`, ...env } });
    await started(at);
    expect(at.lines.some(({ msg }) => msg.includes("TRACK_TOKEN"))).toBe(isWarned);
    for (const host of ["127.0.0.2", "[::1]"]) {
      const url = `http://${host}:${port}/track?hash=${hash}&token=s3cret`;
      expect((await fetch(url, { method: "POST" })).status).toBe(200);
    }
  }
});

describe("what is kept to itself", () => {
  test("no password, token or topic is in log, status, metrics or probes; the state file is for its owner", async () => {
    const secrets = { qb: "pw-of-qb-1", ntfy: "tk_of-ntfy-2", track: "hook-3" };
    await using at = await startWorld({
      qbittorrent: { auth: { username: "admin", password: secrets.qb } },
      ntfy: { token: secrets.ntfy },
      env: {
        QBIT_USER: "admin",
        QBIT_PASS: secrets.qb,
        NTFY_TOKEN: secrets.ntfy,
        TRACK_TOKEN: secrets.track,
        LOG_LEVEL: "trace",
        NTFY_TIMEOUT: "300ms",
      },
    });
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Public", fields: downloading });
    at.ntfy.faults.next("publish", { kind: "hang" });
    at.ntfy.faults.next("publish", {
      kind: "answer",
      status: 401,
      body: '{"code":40101,"http":401,"error":"no"}',
    });
    expect((await at.post(`/track?hash=${hash}`)).status).toBe(401);
    expect((await at.post(`/track?hash=${hash}&token=wrong`)).status).toBe(401);
    expect((await at.post(`/track?hash=${hash}`, { authorization: `Bearer ${secrets.track}` })).status).toBe(
      200,
    );
    await waitFor(() => at.lines.some(({ err }) => err?.type === "NtfyAuthError"), { what: "both failures" });
    const pages = ["/status", "/livez", "/readyz", "/metrics"].map(async (path) =>
      (await fetch(at.health + path)).text(),
    );
    const all =
      JSON.stringify(at.lines) +
      (await Promise.all(pages)).join("") +
      (await readFile(join(at.stateDir, "ledger.json"), "utf8"));
    for (const secret of Object.values(secrets)) expect(all).not.toContain(secret);
    expect(JSON.stringify(at.lines)).not.toContain("/downloads");
  });
});
