import { FakeClock, freePort, showOnPhone, waitFor } from "@qbit-sidecars/testing";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { startWorld, type World } from "./sidecar-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });

const hash = "a".repeat(40);
const downloading = {
  state: "downloading",
  progress: 0,
  dlspeed: 1024 * 1024,
  eta: 3723,
  amount_left: 1000,
  downloaded: 0,
};
const done = (now: number) => ({
  state: "stalledUP",
  progress: 1,
  amount_left: 0,
  downloaded: 1000,
  completion_on: Math.floor(now / 1000),
});

const messagesOf = ({ ntfy }: World) => ntfy.messages("downloads").filter(({ event }) => event === "message");
const screenOf = ({ ntfy }: World) => showOnPhone(ntfy.messages("downloads"));
const sent = (at: World, text: string) =>
  waitFor(() => messagesOf(at).some(({ message = "" }) => message.includes(text)), {
    what: `a notice: ${text}`,
  });
const quiet = (at: World) =>
  waitFor(
    async () => {
      const { outbox, tracked } = (await at.get("/status")) as { outbox: unknown[]; tracked: unknown[] };
      return outbox.length === 0 && tracked.length === 0;
    },
    { what: "nothing left to do" },
  );

async function started(at: World): Promise<void> {
  await waitFor(() => at.lines.some(({ msg }) => msg.startsWith("health and metrics")), {
    what: "the start",
  });
  await waitFor(() => at.qbittorrent.calls.count("sync/maindata") > 0, { what: "the first look" });
}

/** In steps, with real time in between for the sockets. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    await clock.advance(1000);
    await delay(15);
  }
}

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

  test("a state file that cannot be read is not the end", async () => {
    await using at = await startWorld();
    await started(at);
    await at.stop();
    await writeFile(join(at.stateDir, "ledger.json"), '{"version":1,"tracked":');
    at.start();
    await waitFor(() => at.lines.some(({ msg }) => msg.includes("starting anew")), { what: "the warning" });
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
