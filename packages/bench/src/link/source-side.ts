import { runApp } from "@qbit-sidecars/e2e/run-app";
import { QbitClient } from "@qbit-sidecars/qbit-client";
import { freePort, makeTorrent, startQbittorrent, waitFor } from "@qbit-sidecars/testing";
import { setTimeout as sleep } from "node:timers/promises";
import { warmUpMs } from "./warm-up.ts";

/**
 * The sending side, to be run within its own network: a real qBittorrent with one complete torrent, and qbsync-source
 * from its bundle. Prints the bytes that the destination writes in a second, once TCP has warmed up.
 *
 *     source-side.ts HOST:PORT CONNECTIONS SECONDS MEBIBYTES
 */
const [destination = "", connections = "1", seconds = "10", mebibytes = "1024"] = process.argv.slice(2);

await using qbittorrent = await startQbittorrent();
using client = new QbitClient({ url: qbittorrent.url });
const size = Number(mebibytes) * 1024 * 1024;
const made = makeTorrent({ version: "v1", files: [{ path: "large.bin", size }], pieceLength: 1024 * 1024 });
await made.write(qbittorrent.savePath);
await client.torrents.add({ files: [made.torrent], stopped: true, skipChecking: true });
const health = `127.0.0.1:${await freePort()}`;
await using _source = runApp("qbsync-source", {
  env: {
    QBSYNC_SOURCE_DATA: qbittorrent.savePath,
    QBSYNC_SOURCE_QB_URL: qbittorrent.url,
    QBSYNC_SOURCE_DESTINATION_ADDR: destination,
    QBSYNC_SOURCE_HEALTH_ADDR: health,
    QBSYNC_SOURCE_MIN_CONNECTIONS: connections,
    QBSYNC_SOURCE_MAX_CONNECTIONS: connections,
    QBSYNC_SOURCE_WINDOW: "256MiB",
    QBSYNC_SOURCE_NUM_SENDERS: "16",
  },
});
const written = async () => {
  const body = (await (await fetch(`http://${health}/status`)).json()) as {
    destination: { connections: number } | null;
    torrents: { state: string; pieces: number | null; needed: number | null }[];
  };
  const [row] = body.torrents;
  const isOpen = row?.state === "syncing" || row?.state === "synced";
  if (!isOpen || row.pieces === null || row.needed === null) return 0;
  return (row.pieces - row.needed) * 1024 * 1024;
};
await waitFor(async () => (await written()) > 0, { what: "a first piece", timeoutMs: 60_000 });
await sleep(warmUpMs);
const [startedAt, before] = [performance.now(), await written()];
await sleep(Number(seconds) * 1000);
const after = await written();
if (after >= size) throw new Error(`all ${mebibytes} MiB were there before the time was over`);
const bytes = after - before;
console.log(`RESULT ${(bytes / ((performance.now() - startedAt) / 1000)).toFixed(0)}`);
