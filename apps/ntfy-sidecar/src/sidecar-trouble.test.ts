import { FakeClock, showOnPhone, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { startWorld, type World } from "./sidecar-under-test.ts";
import {
  done,
  downloading,
  hash,
  messagesOf,
  pass,
  quiet,
  screenOf,
  sent,
  started,
} from "./sidecar.fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

describe("trouble with qBittorrent", () => {
  test.each(["5.1.0", "5.3.0"] as const)(
    "with %s one login serves all torrents, and a lost session is renewed",
    async (version) => {
      await using at = await startWorld({
        qbittorrent: { version, auth: { username: "admin", password: "s3cret-qb" } },
        env: { QBIT_USER: "admin", QBIT_PASS: "s3cret-qb" },
      });
      await started(at);
      for (const digit of "abc") {
        at.qbittorrent.addTorrent({ hash: digit.repeat(40), name: digit, fields: downloading });
        await at.post(`/track?hash=${digit.repeat(40)}`);
      }
      await waitFor(() => messagesOf(at).length === 3, { what: "three cards" });
      expect(at.qbittorrent.calls.count("auth/login")).toBe(1);
      at.qbittorrent.dropSessions();
      for (const digit of "abc") at.qbittorrent.updateTorrent(digit.repeat(40), done(Date.now()));
      await quiet(at);
      expect(screenOf(at).sounds).toHaveLength(3);
      expect(at.qbittorrent.calls.count("auth/login")).toBe(2);
    },
  );

  test("while it starts and lists nothing yet, no torrent counts as removed", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await startWorld({ clock, env: { NOTIFY_REMOVED: "true" } });
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Patient", fields: downloading });
    await at.post(`/track?hash=${hash}`);
    await clock.advanceUntil(() => messagesOf(at).length === 1, { what: "the card" });
    at.qbittorrent.removeTorrent(hash);
    await pass(clock, 30_000);
    at.qbittorrent.addTorrent({ hash, name: "Patient", fields: { ...downloading, progress: 0.5 } });
    await clock.advanceUntil(() => messagesOf(at).length === 2, { what: "its progress" });
    expect(screenOf(at).cards).toHaveLength(1);
    at.qbittorrent.removeTorrent(hash);
    await clock.advanceUntil(() => screenOf(at).cards.some(({ title }) => title === "Torrent removed"), {
      what: "removed",
    });
    await clock.advanceUntil(() => screenOf(at).cards.length === 1, { what: "no stale card" });
  });
});

describe("trouble with ntfy", () => {
  const track = async (at: World) => {
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Precious", fields: { ...downloading, progress: 0.5 } });
    await at.post(`/track?hash=${hash}`);
    await sent(at, "50%");
  };
  const html = "<html><h1>502 Bad Gateway</h1></html>";

  test.each([
    ["hangs", { kind: "hang" }],
    ["stores it and hangs", { kind: "hang", applied: true }],
    ["resets", { kind: "reset" }],
    ["stores it and resets", { kind: "reset", applied: true }],
    ["answers 500", { kind: "answer", status: 500, body: '{"code":50001,"http":500,"error":"internal"}' }],
    ["is a proxy's 502 page", { kind: "answer", status: 502, body: html }],
    ["is a proxy's page with status 200", { kind: "answer", status: 200, body: html }],
    ["stores it behind a proxy's 504", { kind: "answer", status: 504, body: html, applied: true }],
    [
      "is busy (429)",
      { kind: "answer", status: 429, body: '{"code":42901,"http":429,"error":"too many requests"}' },
    ],
    // ntfy forgets for a moment who asks when somebody else asks from the same address.
    [
      "forbids it (403)",
      { kind: "answer", status: 403, body: '{"code":40301,"http":403,"error":"forbidden"}' },
    ],
    ["redirects", { kind: "answer", status: 302, headers: { location: "/login" } }],
  ] as const)(
    "a completion arrives, and sounds once, although ntfy %s twice before",
    async (_what, fault) => {
      await using at = await startWorld({ env: { NTFY_TIMEOUT: "300ms", NTFY_REFILL: "1s" } });
      await track(at);
      at.ntfy.faults.next("publish", fault, 2);
      at.qbittorrent.updateTorrent(hash, done(Date.now()));
      await waitFor(() => at.ntfy.messages().some(({ event }) => event === "message_delete"), {
        what: "completion and clearing",
        timeoutMs: 30_000,
      });
      await quiet(at);
      const { cards, sounds } = screenOf(at);
      expect(cards.map(({ title }) => title)).toEqual(["Download Complete"]);
      expect(sounds).toHaveLength(1);
    },
  );

  test("a refusal of the whole is answered with a plainer wording, then dropped and counted; others go on", async () => {
    await using at = await startWorld();
    await track(at);
    const refusal = {
      kind: "answer",
      status: 400,
      body: '{"code":40018,"http":400,"error":"invalid"}',
    } as const;
    at.ntfy.faults.next("publish", refusal);
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    await sent(at, "Precious has finished");
    expect(messagesOf(at).at(-1)).not.toHaveProperty("tags");
    at.qbittorrent.addTorrent({ hash: "b".repeat(40), name: "Next", fields: downloading });
    at.ntfy.faults.next("publish", refusal, 2);
    await at.post(`/track?hash=${"b".repeat(40)}`);
    await waitFor(
      async () => (await at.metrics()).includes('ntfy_sidecar_notices_dropped_total{kind="progress"} 1'),
      {
        what: "the drop counted",
      },
    );
    at.qbittorrent.updateTorrent("b".repeat(40), done(Date.now()));
    await sent(at, "Next has finished");
  });

  test("a wrong token is told, seldom tried, makes it unready, and loses nothing", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await startWorld({
      clock,
      ntfy: { token: "tk_right" },
      env: { NTFY_TOKEN: "tk_wr0ng" },
    });
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Precious", fields: downloading });
    await at.post(`/track?hash=${hash}`);
    await clock.advanceUntil(() => at.ntfy.calls.length > 0, { what: "a try" });
    at.qbittorrent.updateTorrent(hash, done(clock.now()));
    const until = clock.now() + 3_600_000;
    await clock.advanceUntil(() => clock.now() >= until, { what: "an hour", withinMs: 4_000_000 });
    expect(at.ntfy.calls.length).toBeLessThan(15);
    const ready = await fetch(`${at.health}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining("NTFY_TOKEN")]);
    expect((await fetch(`${at.health}/livez`)).status).toBe(200);
    await at.stop();
    at.start({ NTFY_TOKEN: "tk_right" });
    await clock.advanceUntil(() => messagesOf(at).some(({ title }) => title === "Download Complete"), {
      what: "it",
    });
  });

  test("1,000 torrents added at once: ntfy's limits are never overrun, no completion is lost, progress is few", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await startWorld({ clock, env: { NOTIFY_ADDED: "true", POLL_INTERVAL: "5s" } });
    await started(at);
    const hashes = Array.from({ length: 1000 }, (_, n) => n.toString(16).padStart(40, "0"));
    for (const each of hashes)
      at.qbittorrent.addTorrent({ hash: each, name: `n${each}`, fields: downloading });
    for (let from = 0; from < hashes.length; from += 50)
      await Promise.all(hashes.slice(from, from + 50).map((each) => at.post(`/track?hash=${each}`)));
    await clock.advanceUntil(() => messagesOf(at).length >= 11, { what: "the summary and ten cards" });
    expect(
      messagesOf(at).filter(({ title }) => title?.endsWith("torrents added")).length,
    ).toBeLessThanOrEqual(2);
    await clock.advanceUntil(
      async () => JSON.stringify(await at.get("/status")).split('"state":"downloading"').length === 1001,
      { what: "all seen" },
    );
    for (const each of hashes) at.qbittorrent.updateTorrent(each, done(clock.now()));
    await clock.advanceUntil(() => screenOf(at).sounds.length === 1000, {
      what: "1,000 completions",
      withinMs: 4 * 3_600_000,
      graceMs: 3,
    });
    expect(at.ntfy.calls.filter(({ status }) => status === 429)).toEqual([]);
  }, 180_000);

  test("with the day's messages used up, progress stops early and completions come the next day at the latest", async () => {
    const clock = new FakeClock(Date.UTC(2026, 5, 1, 20));
    await using at = await startWorld({
      clock,
      ntfy: { daily: 10 },
      env: { NTFY_DAILY_LIMIT: "10", PROGRESS_STEP: "1" },
    });
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Precious", fields: downloading });
    await at.post(`/track?hash=${hash}`);
    for (let percent = 1; percent <= 12; percent += 1) {
      at.qbittorrent.updateTorrent(hash, { progress: percent / 100 + 0.001 });
      await pass(clock, 10_000);
    }
    expect(messagesOf(at).length).toBe(8);
    expect((await fetch(`${at.health}/readyz`)).status).toBe(503);
    for (const digit of "bcde")
      at.qbittorrent.addTorrent({ hash: digit.repeat(40), name: digit, fields: downloading });
    for (const digit of "bcde") await at.post(`/track?hash=${digit.repeat(40)}`);
    await clock.advanceUntil(async () => ((await at.get("/status"))["tracked"] as unknown[]).length === 5, {
      what: "5",
    });
    await pass(clock, 5000);
    for (const each of ["a", "b", "c", "d", "e"])
      at.qbittorrent.updateTorrent(each.repeat(40), done(clock.now()));
    await clock.advanceUntil(() => screenOf(at).sounds.length === 5, {
      what: "all five",
      withinMs: 30 * 3_600_000,
    });
    expect(at.ntfy.calls.filter(({ status }) => status === 429).length).toBeLessThan(30);
  }, 120_000);

  test("a server before 2.16 gets one progress message and the completion, whatever the step", async () => {
    await using at = await startWorld({ ntfy: { version: "2.11.0" }, env: { PROGRESS_STEP: "5" } });
    await started(at);
    at.qbittorrent.addTorrent({ hash: "b".repeat(40), name: "First", fields: downloading });
    await at.post(`/track?hash=${"b".repeat(40)}`);
    await sent(at, "0% [");
    at.qbittorrent.addTorrent({ hash, name: "Second", fields: downloading });
    await at.post(`/track?hash=${hash}`);
    for (const progress of [0.1, 0.3, 0.55, 0.8]) {
      at.qbittorrent.updateTorrent(hash, { progress });
      const looks = at.qbittorrent.calls.count("sync/maindata");
      await waitFor(() => at.qbittorrent.calls.count("sync/maindata") > looks, { what: "a look" });
    }
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    await sent(at, "Second has finished");
    const { appeared } = showOnPhone(
      messagesOf(at).filter((message) => /Second/u.test(JSON.stringify(message))),
      "ios",
    );
    expect(appeared).toBe(2);
  });
});
