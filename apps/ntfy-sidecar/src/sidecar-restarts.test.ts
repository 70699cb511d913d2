import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { startWorld } from "./sidecar-under-test.ts";
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

describe("restarts", () => {
  test("what completed while it was down is announced once, whether it was followed before or not", async () => {
    await using at = await startWorld();
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Followed", fields: { ...downloading, progress: 0.5 } });
    await at.post(`/track?hash=${hash}`);
    await sent(at, "50%");
    await at.stop();
    const soon = Date.now() + 5000;
    at.qbittorrent.updateTorrent(hash, done(soon));
    at.qbittorrent.addTorrent({ hash: "b".repeat(40), name: "Unseen", fields: done(soon) });
    at.qbittorrent.addTorrent({ hash: "c".repeat(40), name: "Old", fields: done(0) });
    at.start();
    await sent(at, "Followed has finished");
    await sent(at, "Unseen has finished");
    await quiet(at);
    await at.stop();
    at.start();
    const looks = at.qbittorrent.calls.count("sync/maindata");
    await waitFor(() => at.qbittorrent.calls.count("sync/maindata") > looks, { what: "another start" });
    await quiet(at);
    const { sounds, cards } = screenOf(at);
    expect(sounds).toHaveLength(2);
    expect(cards).toHaveLength(2);
  });

  test("what was told is not told again by the next life, and what is new is", async () => {
    await using at = await startWorld();
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Two\r\nlines", fields: { ...downloading, progress: 0.5 } });
    await at.post(`/track?hash=${hash}`);
    await sent(at, "50%");
    // Stored is not yet answered: stopped in between, it would be sent once more under its sequence id.
    await waitFor(async () => JSON.stringify((await at.get("/status"))["outbox"]) === "[]", {
      what: "ntfy's answer",
    });
    await at.stop();
    at.start();
    const looks = at.qbittorrent.calls.count("sync/maindata");
    await waitFor(() => at.qbittorrent.calls.count("sync/maindata") > looks + 1, { what: "two looks" });
    expect(messagesOf(at)).toHaveLength(1);
    at.qbittorrent.updateTorrent(hash, { progress: 0.75 });
    await sent(at, "75%");
    expect(messagesOf(at).map(({ title }) => title)).toEqual(["Two lines", "Two lines"]);
  });

  test("without a place to keep state it says what it cannot promise, and works", async () => {
    await using at = await startWorld({ env: { STATE_DIR: "/dev/null/state" } });
    await started(at);
    expect(at.lines.find(({ level }) => level === "warn")?.msg).toContain(
      "STATE_DIR cannot be written, so after a restart",
    );
    expect(await at.metrics()).toContain("state_dir_writable 0");
    at.qbittorrent.addTorrent({ hash, name: "Kept", fields: downloading });
    await at.post(`/track?hash=${hash}`);
    await sent(at, "0% [");
  });

  test("a disk that takes nothing for a while loses nothing that is still to be told once it does again", async () => {
    await using at = await startWorld();
    await started(at);
    at.qbittorrent.addTorrent({ hash, name: "Kept", fields: { ...downloading, progress: 0.5 } });
    await at.post(`/track?hash=${hash}`);
    await sent(at, "50%");
    await rm(at.stateDir, { recursive: true });
    await writeFile(at.stateDir, "");
    at.ntfy.faults.set("publish", { kind: "answer", status: 500, body: "" });
    at.qbittorrent.updateTorrent(hash, done(Date.now()));
    await waitFor(async () => (await at.metrics()).includes("state_dir_writable 0"), {
      what: "the full disk",
    });
    expect((await fetch(`${at.health}/livez`)).status).toBe(200);
    await rm(at.stateDir);
    await waitFor(async () => (await at.metrics()).includes("state_dir_writable 1"), {
      what: "the disk again",
      timeoutMs: 20_000,
    });
    await at.stop();
    at.ntfy.faults.clear();
    at.start();
    await sent(at, "Kept has finished");
    await quiet(at);
    expect(screenOf(at).sounds).toHaveLength(1);
  });

  test.each([
    { what: "damaged", text: '{"version":1,"tracked":', why: "it is damaged" },
    { what: "a newer version's", text: '{"version":2,"of":"tomorrow"}', why: "written by a newer version" },
  ])("a ledger that is $what is set aside, and told", async ({ text, why }) => {
    await using at = await startWorld();
    await started(at);
    await at.stop();
    await writeFile(join(at.stateDir, "ledger.json"), text);
    at.start();
    await waitFor(() => at.lines.some(({ msg }) => msg.includes(why)), { what: "the warning" });
    const aside =
      (await readdir(at.stateDir)).find((name) => name.startsWith("ledger.json.set-aside-")) ?? "";
    await expect(readFile(join(at.stateDir, aside), "utf8")).resolves.toBe(text);
  });
});

describe("qBittorrent is asked no more than needed", () => {
  test("nothing tracked: no question and no timer; tracked: one question, whatever their number", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await startWorld({ clock });
    await started(at);
    await waitFor(() => clock.sleeping === 0, { what: "no timer" });
    const before = at.qbittorrent.calls.count();
    await clock.advance(24 * 3_600_000);
    expect(at.qbittorrent.calls.count()).toBe(before);
    for (let n = 0; n < 200; n += 1) {
      const each = n.toString(16).padStart(40, "0");
      at.qbittorrent.addTorrent({ hash: each, fields: downloading });
      await at.post(`/track?hash=${each}`);
    }
    await clock.advanceUntil(async () => ((await at.get("/status"))["tracked"] as unknown[]).length === 200, {
      what: "all tracked",
    });
    const from = { at: clock.now(), calls: at.qbittorrent.calls.count() };
    await clock.advanceUntil(() => at.qbittorrent.calls.count() >= from.calls + 10, {
      what: "ten more questions",
    });
    expect(clock.now() - from.at).toBeGreaterThanOrEqual(9000);
    expect(
      new Set(
        at.qbittorrent.calls
          .list()
          .slice(from.calls)
          .map(({ name }) => name),
      ),
    ).toEqual(new Set(["sync/maindata"]));
  });

  test.each(["error", "missingFiles", "stoppedDL"])(
    "a torrent in state %s is asked about ever less often",
    async (state) => {
      const clock = new FakeClock(Date.now());
      await using at = await startWorld({
        clock,
        qbittorrent: { torrents: [{ hash, name: "Stuck", fields: { ...downloading, state } }] },
      });
      await started(at);
      const before = at.qbittorrent.calls.count("sync/maindata");
      const until = clock.now() + 2 * 3_600_000;
      await clock.advanceUntil(() => clock.now() >= until, { what: "two hours", withinMs: 9_000_000 });
      expect(at.qbittorrent.calls.count("sync/maindata") - before).toBeLessThan(40);
    },
  );
});

describe("alerts", () => {
  test("an error, a stall and a full disk are each one card, which goes when it is over", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await startWorld({
      clock,
      env: { NOTIFY_STALLED: "true", STALLED_AFTER: "1m", DISK_LOW: "10GB", NOTIFY_PROGRESS: "false" },
      qbittorrent: { torrents: [{ hash, name: "Ill", fields: downloading }] },
    });
    const titles = () => screenOf(at).cards.map(({ title }) => title);
    const shown = (...wanted: string[]) =>
      clock.advanceUntil(() => JSON.stringify(titles()) === JSON.stringify(wanted), {
        what: wanted.join(", ") || "no card",
      });
    await started(at);
    await shown("Download stalled");
    at.qbittorrent.updateTorrent(hash, { state: "error", amount_left: 900 });
    await shown("Download stalled", "Download error");
    at.qbittorrent.updateTorrent(hash, { state: "downloading", amount_left: 800 });
    await shown();
    at.qbittorrent.setTransfer({ free_space_on_disk: 9_000_000_000 });
    await shown("Disk almost full");
    at.qbittorrent.setTransfer({ free_space_on_disk: 10_500_000_000 });
    await pass(clock, 5000);
    expect(titles()).toEqual(["Disk almost full"]);
    at.qbittorrent.setTransfer({ free_space_on_disk: 12_000_000_000 });
    await shown();
  });
});

test("a removed torrent leaves neither progress nor error behind", async () => {
  const clock = new FakeClock(Date.now());
  await using at = await startWorld({ clock });
  await started(at);
  at.qbittorrent.addTorrent({ hash, name: "Ill", fields: { ...downloading, progress: 0.5 } });
  await at.post(`/track?hash=${hash}`);
  await clock.advanceUntil(() => messagesOf(at).length === 1, { what: "the card" });
  at.qbittorrent.updateTorrent(hash, { state: "error" });
  await clock.advanceUntil(() => screenOf(at).cards.length === 2, { what: "both cards" });
  at.qbittorrent.removeTorrent(hash);
  await clock.advanceUntil(() => screenOf(at).cards.length === 0, { what: "no card" });
  expect(screenOf(at).sounds.map(({ title }) => title)).toEqual(["Download error"]);
});

test("a storm of hooks is few questions to qBittorrent, and few notices", async () => {
  await using at = await startWorld({ env: { NOTIFY_ADDED: "true", POLL_INTERVAL: "2s" } });
  await started(at);
  const before = at.qbittorrent.calls.count();
  for (let n = 0; n < 300; n += 1) {
    const each = n.toString(16).padStart(40, "0");
    at.qbittorrent.addTorrent({ hash: each, fields: downloading });
    await at.post(`/track?hash=${each}`);
    await delay(5);
  }
  await waitFor(
    async () => JSON.stringify(await at.get("/status")).split('"state":"downloading"').length === 301,
    { what: "all seen" },
  );
  expect(at.qbittorrent.calls.count() - before).toBeLessThan(20);
  // One for what came first, summaries, and a card for each of ten.
  expect(at.ntfy.calls.length).toBeLessThan(30);
});
