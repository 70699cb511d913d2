import { QbitClient } from "@qbit-sidecars/qbit-client";
import { PieceAnswer_Outcome as Outcome } from "@qbit-sidecars/qbsync-protocol";
import {
  isMissing,
  type MadeTorrent,
  makeTorrent,
  type RunningQbittorrent,
  startQbittorrent,
  type TorrentOptions,
  waitFor,
} from "@qbit-sidecars/testing";
import { open, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DestinationStandIn, type StandInOptions } from "./destination-under-test.ts";
import { CuttableNetwork } from "./proxy-under-test.ts";
import { runSource } from "./source-under-test.ts";

const patienceMs = 30_000;

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("a qbsync-source", () => {
  let qbittorrent: RunningQbittorrent;
  let client: QbitClient;
  let seed = 0;

  beforeAll(async () => {
    qbittorrent = await startQbittorrent({
      preferences: { refresh_interval: 100, queueing_enabled: false, max_active_checking_torrents: 8 },
    });
    client = new QbitClient({ url: qbittorrent.url });
  });

  afterAll(async () => {
    client?.close();
    await qbittorrent?.[Symbol.asyncDispose]();
  });

  /** A torrent that is complete in qBittorrent, and the only one there. */
  async function complete(options: Partial<TorrentOptions> & { tags?: string[] } = {}): Promise<MadeTorrent> {
    const before = await client.torrents.info();
    await client.torrents.delete(
      before.map(({ hash }) => hash),
      { deleteFiles: true },
    );
    return await another(options);
  }

  async function another({
    tags,
    ...options
  }: Partial<TorrentOptions> & { tags?: string[] } = {}): Promise<MadeTorrent> {
    seed += 1;
    const made = makeTorrent({
      version: "v1",
      name: `torrent ${seed}`,
      seed,
      pieceLength: 65_536,
      files: [
        { path: "a.bin", size: 1_500_000 },
        { path: "b.bin", size: 1_200_000 },
      ],
      ...options,
    });
    await made.write(qbittorrent.savePath);
    await client.torrents.add({
      files: [made.torrent],
      stopped: true,
      skipChecking: true,
      ...(tags && { tags }),
    });
    const isThere = async () => (await torrentOf(made))?.progress === 1;
    await waitFor(isThere, { what: "the torrent in qBittorrent", timeoutMs: patienceMs });
    return made;
  }

  const torrentOf = async ({ torrentId }: MadeTorrent) =>
    (await client.torrents.info({ hashes: [torrentId] }))[0];

  async function world(env: Record<string, string> = {}, options: StandInOptions = {}) {
    await using closers = new AsyncDisposableStack();
    const destination = closers.use(await DestinationStandIn.start(options));
    const network = closers.use(await CuttableNetwork.to(destination.port));
    const start = () =>
      runSource({
        QBSYNC_SOURCE_DATA: qbittorrent.savePath,
        QBSYNC_SOURCE_QB_URL: qbittorrent.url,
        QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${network.port}`,
        ...env,
      });
    const source = closers.use(await start());
    const resources = closers.move();
    const until = async (condition: () => boolean | Promise<boolean>, what: string) =>
      await waitFor(condition, { what: `${what}; ${source.output().slice(-3000)}`, timeoutMs: patienceMs });
    return {
      destination,
      network,
      source,
      until,
      untilSynced: async (made: MadeTorrent) => {
        await until(() => destination.isComplete(made.torrentId), `${made.name} at the destination`);
        await until(
          async () => (await torrentOf(made))?.tags.includes("synced") === true,
          `${made.name} tagged`,
        );
      },
      [Symbol.asyncDispose]: () => resources.disposeAsync(),
    };
  }

  test("goes on where it was when the network was cut", async () => {
    const made = await complete();
    await using at = await world({ QBSYNC_SOURCE_RATE_LIMIT: "2000000" });
    await at.until(() => at.destination.has(made.torrentId) >= 10, "some pieces");
    at.network.cut();
    await at.untilSynced(made);
    // Only what was on its way when the cable was cut is sent again.
    const twice = at.destination.arrivals.length - new Set(at.destination.arrivals).size;
    expect(twice).toBeLessThan(20);
  });

  test("notices within --piece-timeout that a connection is half-open, and takes another one", async () => {
    const made = await complete();
    await using at = await world({ QBSYNC_SOURCE_RATE_LIMIT: "2000000", QBSYNC_SOURCE_PIECE_TIMEOUT: "1s" });
    await at.until(() => at.destination.has(made.torrentId) >= 10, "some pieces");
    at.network.silence();
    await at.untilSynced(made);
    expect(await at.source.metric("qbsync_stale_pieces_total")).toBeGreaterThan(0);
  });

  test("waits for a destination that is away, asking at least every --reconnect-max-delay", async () => {
    const made = await complete();
    await using at = await world();
    await at.untilSynced(made);
    const { port } = at.destination;
    await at.destination.stop();
    const later = await another();
    const failed = async () =>
      await at.source.metric('reconcile_steps_total{loop="reach-destination",outcome="failed"}');
    await at.until(async () => (await failed()) >= 4, "four attempts");
    const startedAt = performance.now();
    await at.until(async () => (await failed()) >= 7, "seven attempts");
    // With the default of 30 s the waits would be 2, 4 and 8 seconds by then.
    expect(performance.now() - startedAt).toBeLessThan(6000);
    await at.destination.start(port);
    await at.untilSynced(later);
    expect(await at.source.metric("qbsync_stream_reconnects_total")).toBe(2);
  });

  test("says once why a torrent waits for a qBittorrent that is away, however often it tries", async () => {
    const made = await complete();
    await using at = await world({ LOG_LEVEL: "debug" });
    await at.untilSynced(made);
    await qbittorrent.stop();
    const lines = () => at.source.output().split("\n");
    await at.until(() => lines().filter((line) => line.includes(" waits: ")).length >= 5, "five attempts");
    await qbittorrent.start();
    const warnings = lines().filter((line) => line.includes(" waits: ") && line.includes('"level":"warn"'));
    const reasons = warnings.map((line) => line.slice(line.indexOf(" waits: ")));
    expect(reasons).not.toEqual([]);
    expect(reasons).toEqual([...new Set(reasons)]);
    await at.untilSynced(await another());
  });

  test("opens everything again at a destination that has lost all", async () => {
    const made = await complete();
    await using at = await world({ QBSYNC_SOURCE_RATE_LIMIT: "2000000" });
    await at.until(() => at.destination.has(made.torrentId) >= 10, "some pieces");
    at.destination.torrents.clear();
    await at.untilSynced(made);
    expect(at.destination.has(made.torrentId)).toBe(
      at.destination.torrents.get(made.torrentId)?.layout.pieceCount,
    );
  });

  test("sends a piece again that was not answered for within --piece-timeout", async () => {
    const made = await complete();
    let silent = true;
    await using at = await world(
      { QBSYNC_SOURCE_PIECE_TIMEOUT: "1s" },
      { onPiece: (_, piece) => (piece === 7 && silent ? "silence" : undefined) },
    );
    await at.until(() => at.destination.arrivals.includes(`${made.torrentId}:7`), "the piece");
    await at.until(async () => (await at.source.metric("qbsync_stale_pieces_total")) > 0, "the timeout");
    silent = false;
    await at.untilSynced(made);
    expect(at.destination.arrivals.filter((one) => one === `${made.torrentId}:7`).length).toBeGreaterThan(1);
  });

  test("has no more on its way than --window, and no two senders with the same piece", async () => {
    const made = await complete({ pieceLength: 262_144, files: [{ path: "film.bin", size: 8_000_000 }] });
    const gate = Promise.withResolvers<void>();
    await using at = await world(
      { QBSYNC_SOURCE_WINDOW: "1MiB", QBSYNC_SOURCE_NUM_SENDERS: "16" },
      { onPiece: async () => await gate.promise.then(() => undefined) },
    );
    await at.until(() => at.destination.arrivals.length === 4, "a window full of pieces");
    expect(await at.source.metric("qbsync_inflight_bytes")).toBe(1_048_576);
    expect(at.destination.arrivals).toHaveLength(4);
    gate.resolve();
    await at.until(() => at.destination.arrivals.length === 31, "all pieces");
    expect(new Set(at.destination.arrivals).size).toBe(31);
    expect(made.torrentId).toHaveLength(40);
  });

  test("a connection that is stuck holds up its own pieces, and not the senders", async () => {
    const made = await complete({ pieceLength: 1_048_576, files: [{ path: "film.bin", size: 104_857_600 }] });
    const gate = Promise.withResolvers<void>();
    let seen = 0;
    await using at = await world(
      {
        QBSYNC_SOURCE_MIN_CONNECTIONS: "3",
        QBSYNC_SOURCE_MAX_CONNECTIONS: "3",
        QBSYNC_SOURCE_NUM_SENDERS: "2",
        QBSYNC_SOURCE_WINDOW: "256MiB",
        QBSYNC_SOURCE_RATE_LIMIT: "40000000",
      },
      {
        // Answers take as long as on a long way, so that what is on its way is as much on every connection.
        async onPiece() {
          if ((seen += 1) === 3) at.network.silence(1);
          return await gate.promise.then(() => undefined);
        },
      },
    );
    await at.until(() => at.destination.arrivals.length >= 40, "most pieces, over the connection that works");
    expect(await at.source.metric("qbsync_inflight_pieces")).toBeGreaterThan(40);
    gate.resolve();
    at.network.cut();
    await at.untilSynced(made);
  });

  test.each([
    ["--rate-limit", { QBSYNC_SOURCE_RATE_LIMIT: "1000000" }],
    ["--backlog-rate-limit", { QBSYNC_SOURCE_BACKLOG_RATE_LIMIT: "1000000" }],
  ])("is no faster than %s", async (_, env) => {
    const made = await complete();
    const startedAt = performance.now();
    await using at = await world(env);
    await at.untilSynced(made);
    // 2.7 MB at 1 MB/s, less what may be sent at once; without a limit it takes a tenth of that.
    expect(performance.now() - startedAt).toBeGreaterThan(1800);
  });

  test("keeps --min-connections open, and no more than --max-connections", async () => {
    await complete();
    await using at = await world({ QBSYNC_SOURCE_MIN_CONNECTIONS: "3", QBSYNC_SOURCE_MAX_CONNECTIONS: "3" });
    await at.until(() => at.destination.openStreams === 3, "three connections");
    at.network.cut();
    await at.until(
      () => at.destination.openStreams === 3 && at.network.open === 3,
      "three connections again",
    );
    expect(at.destination.openStreams).toBe(3);
  });

  test("opens more than --min-connections while there is more to send than they carry, up to --max-connections", async () => {
    const made = await complete({ pieceLength: 262_144, files: [{ path: "film.bin", size: 8_000_000 }] });
    const gate = Promise.withResolvers<void>();
    let streamsAtFirst: number | undefined;
    await using at = await world(
      {
        QBSYNC_SOURCE_MIN_CONNECTIONS: "1",
        QBSYNC_SOURCE_MAX_CONNECTIONS: "2",
        QBSYNC_SOURCE_WINDOW: "1MiB",
      },
      {
        async onPiece() {
          streamsAtFirst ??= at.destination.openStreams;
          return await gate.promise.then(() => undefined);
        },
      },
    );
    await at.until(() => at.destination.arrivals.length === 4, "a window full of pieces");
    expect(streamsAtFirst).toBe(1);
    await at.until(() => at.destination.openStreams === 2, "a second connection");
    gate.resolve();
    await at.untilSynced(made);
    expect(at.destination.connections).toBe(2);
  });

  test("finishes files in order, so that the first can be used before the last is there", async () => {
    const made = await complete();
    await using at = await world({
      QBSYNC_SOURCE_NUM_SENDERS: "1",
      QBSYNC_SOURCE_MIN_CONNECTIONS: "1",
      QBSYNC_SOURCE_MAX_CONNECTIONS: "1",
    });
    await at.untilSynced(made);
    const pieces = at.destination.arrivals.map((arrival) => Number(arrival.split(":")[1]));
    const isNearlyInOrder = pieces.every((piece, index) => Math.abs(piece - index) <= 1);
    expect(isNearlyInOrder, pieces.join()).toBe(true);
  });

  test("a small torrent beside a large one ends within 2.5 times the bytes of its own", async () => {
    const smallBytes = 2_000_000;
    const large = await complete({ pieceLength: 65_536, files: [{ path: "large.bin", size: 60_000_000 }] });
    await using at = await world({ QBSYNC_SOURCE_RATE_LIMIT: "2000000" });
    await at.until(() => at.destination.has(large.torrentId) >= 10, "some pieces of the large one");
    const small = await another({
      pieceLength: 65_536,
      files: [{ path: "small.bin", size: smallBytes }],
    });
    await at.until(() => at.destination.torrents.has(small.torrentId), "the small one open");
    const before = at.destination.arrivals.length;
    await at.until(() => at.destination.isComplete(small.torrentId), "all of the small one");
    // Both have pieces of one size, and the link is as fast for one as for the other.
    const sentBytes = (at.destination.arrivals.length - before) * 65_536;
    expect(sentBytes).toBeGreaterThan(smallBytes);
    expect(sentBytes).toBeLessThan(2.5 * smallBytes);
    expect(at.destination.isComplete(large.torrentId)).toBe(false);
  });

  test("never sends what does not have its hash: a byte changed, a file cut off, a file gone; and sends it once it is right", async () => {
    const made = await complete();
    const path = join(qbittorrent.savePath, made.files[0]!.path);
    const wrong = Buffer.from(made.files[0]!.content(100_000, 1));
    wrong[0]! ^= 1;
    await write(path, 100_000, wrong);
    await truncate(path, 1_400_000);
    await using at = await world();
    const { pieceCount } = { pieceCount: Math.ceil(2_700_000 / 65_536) };
    // Piece 1 has the changed byte; 21 and 22 lie beyond the cut.
    await at.until(() => at.destination.has(made.torrentId) === pieceCount - 3, "all pieces that are right");
    await at.until(async () => (await at.source.metric("qbsync_pieces_unreadable_total")) > 0, "the metric");
    for (const piece of [1, 21, 22])
      expect(at.destination.arrivals).not.toContain(`${made.torrentId}:${piece}`);
    await write(path, 0, made.files[0]!.content());
    await at.untilSynced(made);
  });

  test("tags what the destination refuses again and again, and tries again when the tag is taken off", async () => {
    const made = await complete();
    const healthy = await another();
    let isBroken = true;
    await using at = await world(
      {},
      { onPiece: (id) => (isBroken && id === made.torrentId ? Outcome.HASH_MISMATCH : undefined) },
    );
    await at.until(async () => (await torrentOf(made))?.tags === "sync-failed", "the tag");
    await at.untilSynced(healthy);
    expect(at.destination.has(made.torrentId)).toBe(0);
    isBroken = false;
    await client.torrents.removeTags([made.torrentId], ["sync-failed"]);
    await at.untilSynced(made);
  });

  test("leaves alone what is tagged to be left alone", async () => {
    const excluded = await complete({ tags: ["private stuff"] });
    const synced = await another();
    await using at = await world({ QBSYNC_SOURCE_EXCLUDE_SYNC_TAG: "private stuff" });
    await at.untilSynced(synced);
    expect(at.destination.torrents.has(excluded.torrentId)).toBe(false);
    expect(await at.source.status()).toContain("tagged private stuff");
    await client.torrents.removeTags([excluded.torrentId], ["private stuff"]);
    await at.untilSynced(excluded);
  });

  test("a torrent that is removed half-way is dropped at the destination", async () => {
    const made = await complete();
    await using at = await world({ QBSYNC_SOURCE_RATE_LIMIT: "500000" });
    await at.until(() => at.destination.has(made.torrentId) >= 3, "some pieces");
    await client.torrents.delete([made.torrentId], { deleteFiles: true });
    await at.until(() => at.destination.aborted.length > 0, "the abort");
    expect(at.destination.aborted).toEqual([made.torrentId]);
  });

  test("a torrent that is removed when it is complete there stays there", async () => {
    const made = await complete();
    await using at = await world();
    await at.untilSynced(made);
    await client.torrents.delete([made.torrentId], { deleteFiles: true });
    const next = await another();
    await at.untilSynced(next);
    await at.until(async () => !(await at.source.status()).includes(made.torrentId), "the torrent forgotten");
    expect(at.destination.aborted).toEqual([]);
  });

  test("a selection that was changed while the source was not running is told to the destination that had finished", async () => {
    const made = await complete();
    await client.torrents.setFilePriority(made.torrentId, { indexes: [1], priority: 0 });
    await using destination = await DestinationStandIn.start();
    const env = {
      QBSYNC_SOURCE_DATA: qbittorrent.savePath,
      QBSYNC_SOURCE_QB_URL: qbittorrent.url,
      QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${destination.port}`,
    };
    const until = async (condition: () => boolean, what: string) =>
      await waitFor(condition, { what, timeoutMs: patienceMs });
    {
      await using _source = await runSource(env);
      await until(() => destination.torrents.get(made.torrentId)?.isFinished === true, "a part, finished");
    }
    await client.torrents.setFilePriority(made.torrentId, { indexes: [1], priority: 1 });
    await using _again = await runSource(env);
    const all = Math.ceil(2_700_000 / 65_536);
    await until(() => destination.has(made.torrentId) === all, "all of it at the destination");
  });

  test("a changed selection is told to the destination, before and after the torrent is complete there", async () => {
    const made = await complete();
    await using at = await world({ QBSYNC_SOURCE_RATE_LIMIT: "300000" });
    await at.until(() => at.destination.has(made.torrentId) >= 3, "some pieces");
    await client.torrents.setFilePriority(made.torrentId, { indexes: [1], priority: 0 });
    const unselected = () => at.destination.torrents.get(made.torrentId)?.description.unselectedFiles;
    await at.until(() => unselected()?.join() === "1", "the selection at the destination");
    await at.untilSynced(made);
    expect(at.destination.has(made.torrentId)).toBe(23);
    await client.torrents.setFilePriority(made.torrentId, { indexes: [1], priority: 1 });
    await at.until(() => unselected()?.length === 0, "all selected again");
    await at.untilSynced(made);
  });

  test("a restart of qBittorrent is no news", async () => {
    const made = await complete();
    await using at = await world({ QBSYNC_SOURCE_RATE_LIMIT: "1000000" });
    await at.until(() => at.destination.has(made.torrentId) >= 3, "some pieces");
    await qbittorrent.restart();
    await at.untilSynced(made);
    expect(at.destination.aborted).toEqual([]);
  });

  test("a dry run says what it would do and leaves no trace on either side", async () => {
    const made = await complete();
    await using at = await world({ QBSYNC_SOURCE_DRY_RUN: "true" });
    await at.until(() => at.source.output().includes(`dry run: ${made.name} would be synced`), "the plan");
    expect(at.destination.torrents.size + at.destination.arrivals.length).toBe(0);
    expect((await torrentOf(made))?.tags).toBe("");
  });

  test("pieces of 64 MiB pass through a window of 16", async () => {
    const made = await complete({
      version: "hybrid",
      pieceLength: 67_108_864,
      files: [
        { path: "large.bin", size: 100_000_000 },
        { path: "small.bin", size: 1 },
      ],
    });
    await using at = await world({ QBSYNC_SOURCE_WINDOW: "16MiB" });
    await at.untilSynced(made);
    expect(at.destination.has(made.torrentId)).toBe(3);
  });

  test("idle torrents cost no requests", async () => {
    const made = await complete({ files: [{ path: "a", size: 100_000 }] });
    for (let count = 0; count < 20; count += 1) await another({ files: [{ path: "a", size: 10 }] });
    await using at = await world({ QBSYNC_SOURCE_SLEEP: "60s" });
    await at.untilSynced(made);
    const synced = async () => (await client.torrents.info({ tag: "synced" })).length === 21;
    await at.until(synced, "all synced");
    const requests = (name: string) =>
      at.source.metric(`qbsync_qb_api_calls_total{mode="source",operation="${name}"}`);
    const before = [await requests("export"), await requests("pieceStates")];
    const polls = await requests("maindata");
    await at.until(async () => (await requests("maindata")) >= polls + 3, "three more polls");
    expect([await requests("export"), await requests("pieceStates")]).toEqual(before);
  });
});

async function write(path: string, position: number, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, "r+");
  await file.write(bytes, 0, bytes.length, position);
}
