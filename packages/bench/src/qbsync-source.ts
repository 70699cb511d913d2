import { runApp } from "@qbit-sidecars/e2e/run-app";
import { QbsyncStage } from "@qbit-sidecars/e2e/qbsync-stage";
import { QbitClient } from "@qbit-sidecars/qbit-client";
import { freePort, makeTorrent, startQbittorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { setTimeout as sleep } from "node:timers/promises";
import { milliseconds, percentile, type Row } from "./figures.ts";

const lookEveryMs = 15;

/** Piece complete at the seedbox → durable at home, and what qBittorrent is asked meanwhile. */
export async function qbsyncSource(): Promise<Row[]> {
  return [
    ...(await throughput()),
    ...(await lag(1500)),
    ...(await lag(250)),
    ...(await calls([10, 100, 1000])),
  ];
}

/** Both apps on loopback, with real data to read: what each GiB costs on either side. */
async function throughput(): Promise<Row[]> {
  const size = 1024 ** 3;
  await using qbittorrent = await startQbittorrent();
  await using folder = await tempDir();
  using client = new QbitClient({ url: qbittorrent.url });
  const pieceLength = 4 * 1024 * 1024;
  const made = makeTorrent({ version: "v1", files: [{ path: "large.bin", size }], pieceLength });
  await made.write(qbittorrent.savePath);
  await client.torrents.add({ files: [made.torrent], stopped: true, skipChecking: true });
  const listen = `127.0.0.1:${await freePort()}`;
  const [destinationHealth, sourceHealth] = [await freePort(), await freePort()].map(
    (port) => `127.0.0.1:${port}`,
  );
  await using _destination = runApp("qbsync-destination", {
    env: {
      QBSYNC_DESTINATION_DATA: folder.path,
      QBSYNC_DESTINATION_LISTEN: listen,
      QBSYNC_DESTINATION_HEALTH_ADDR: destinationHealth!,
      QBSYNC_DESTINATION_KEEP_FREE: "0",
    },
  });
  const startedAt = performance.now();
  await using _source = runApp("qbsync-source", {
    env: {
      QBSYNC_SOURCE_DATA: qbittorrent.savePath,
      QBSYNC_SOURCE_QB_URL: qbittorrent.url,
      QBSYNC_SOURCE_DESTINATION_ADDR: listen,
      QBSYNC_SOURCE_HEALTH_ADDR: sourceHealth!,
    },
  });
  const isSynced = async () => (await client.torrents.info())[0]?.tags === "synced";
  await waitFor(isSynced, { what: "the torrent synced", timeoutMs: 240_000 });
  const seconds = (performance.now() - startedAt) / 1000;
  const row = (figure: string, value: string): Row => ({ figure, value, baseline: "", ratio: "", aim: "" });
  const cpu = async (name: string, health: string) =>
    row(`${name}: CPU for 1 GiB on loopback, from its start`, `${(await cpuSeconds(health)).toFixed(2)} s`);
  return [
    row("qbsync: 1 GiB on loopback, start of the source → tagged", `${seconds.toFixed(1)} s`),
    await cpu("qbsync-source", sourceHealth!),
    await cpu("qbsync-destination", destinationHealth!),
  ];
}

async function cpuSeconds(health: string): Promise<number> {
  const text = await (await fetch(`http://${health}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)$/mu.exec(text)?.[1]);
}

/** @param refreshMs how often qBittorrent tells of changes; 1500 is its default */
async function lag(refreshMs: number): Promise<Row[]> {
  await using stage = await QbsyncStage.set({ refreshMs });
  const pieceLength = 262_144;
  const made = await stage.download("Lag", {
    files: [{ path: "lag.bin", size: 24 * 1024 * 1024 }],
    pieceLength,
    bytesPerSecond: 1_500_000,
  });
  const total = 96;
  const [complete, durable]: [number[], number[]] = [[], []];
  while (durable.length < total) {
    const { here, durable: there } = await stage.counts(made);
    const now = performance.now();
    // Pieces of one torrent look alike from here: the n-th that is durable is compared with the n-th that was complete.
    while (complete.length < here) complete.push(now);
    while (durable.length < there) durable.push(now);
    await sleep(lookEveryMs);
  }
  const lags = durable.map((at, index) => Math.max(0, at - (complete[index] ?? at)));
  const row = (p: number): Row => ({
    figure: `qbsync: piece finished at the source → durable at the destination, p${p} of ${total}, refresh_interval ${refreshMs}`,
    value: milliseconds(percentile(lags, p)),
    baseline: `${refreshMs} ms between two looks of qBittorrent's own`,
    ratio: `${(percentile(lags, p) / refreshMs).toFixed(1)}×`,
    aim: "",
  });
  return [row(50), row(99)];
}

/** Requests a second that qbsync-source sends to qBittorrent, by how many torrents it looks after. */
async function calls(counts: readonly number[]): Promise<Row[]> {
  await using qbittorrent = await startQbittorrent({ preferences: { queueing_enabled: false } });
  await using folder = await tempDir();
  using client = new QbitClient({ url: qbittorrent.url });
  const listen = `127.0.0.1:${await freePort()}`;
  await using _destination = runApp("qbsync-destination", {
    env: {
      QBSYNC_DESTINATION_DATA: folder.path,
      QBSYNC_DESTINATION_LISTEN: listen,
      QBSYNC_DESTINATION_HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      QBSYNC_DESTINATION_KEEP_FREE: "0",
    },
  });
  const health = `127.0.0.1:${await freePort()}`;
  await using _source = runApp("qbsync-source", {
    env: {
      QBSYNC_SOURCE_DATA: qbittorrent.savePath,
      QBSYNC_SOURCE_QB_URL: qbittorrent.url,
      QBSYNC_SOURCE_DESTINATION_ADDR: listen,
      QBSYNC_SOURCE_HEALTH_ADDR: health,
    },
  });
  const requests = async () => {
    const text = await (await fetch(`http://${health}/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith("qbsync_qb_api_calls_total{"));
    return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  };
  const rows: Row[] = [];
  let added = 0;
  for (const count of counts) {
    for (; added < count; added += 1) {
      const made = makeTorrent({ version: "v1", files: [{ path: `${added}.bin`, size: 100 }], seed: added });
      await made.write(qbittorrent.savePath);
      await client.torrents.add({ files: [made.torrent], stopped: true, skipChecking: true });
    }
    const allSynced = async () => (await client.torrents.info({ tag: "synced" })).length === count;
    await waitFor(allSynced, { what: `${count} torrents synced`, timeoutMs: 240_000 });
    const [startedAt, before] = [performance.now(), await requests()];
    await sleep(20_000);
    const perSecond = ((await requests()) - before) / ((performance.now() - startedAt) / 1000);
    rows.push({
      figure: `qbsync-source: requests to qBittorrent, ${count} idle torrents`,
      value: `${perSecond.toFixed(1)}/s`,
      baseline: `${(count * 0.4).toFixed(0)}/s: one for each torrent every 2.5 s`,
      ratio: `${(perSecond / (count * 0.4)).toFixed(3)}×`,
      aim: "does not grow",
    });
  }
  return rows;
}
