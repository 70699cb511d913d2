import { QbitClient } from "@qbit-sidecars/qbit-client";
import { freePort, isMissing, makeTorrent, startQbittorrent, waitFor } from "@qbit-sidecars/testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { DestinationStandIn } from "./destination-under-test.ts";

vi.setConfig({ testTimeout: 600_000 });

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const rounds = process.env.QBIT_SIDECARS_LONG === "1" ? 60 : 5;
/** What `--window` lets be on its way, in pieces; only those may be sent again after a kill. */
const windowPieces = 16;

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("a qbsync-source of its own process", () => {
  test("killed (kill -9) again and again, sends everything and again only what was on its way", async () => {
    await using qbittorrent = await startQbittorrent({ preferences: { refresh_interval: 100 } });
    await using destination = await DestinationStandIn.start();
    using client = new QbitClient({ url: qbittorrent.url });
    const made = makeTorrent({
      version: "v1",
      name: "killed",
      files: [
        { path: "a.bin", size: rounds * 300_000 },
        { path: "b.bin", size: rounds * 123_456 },
      ],
      pieceLength: 65_536,
    });
    await made.write(qbittorrent.savePath);
    await client.torrents.add({ files: [made.torrent], skipChecking: true });
    const env = {
      QBSYNC_SOURCE_DATA: qbittorrent.savePath,
      QBSYNC_SOURCE_QB_URL: qbittorrent.url,
      QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${destination.port}`,
      QBSYNC_SOURCE_HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      QBSYNC_SOURCE_POLL_INTERVAL: "100ms",
      QBSYNC_SOURCE_WINDOW: "1MiB",
      QBSYNC_SOURCE_RATE_LIMIT: "1000000",
    };
    const start = () => spawn(process.execPath, [main], { env, stdio: "ignore" });
    let seed = 1;
    for (let round = 0; round < rounds; round += 1) {
      const before = destination.arrivals.length;
      const child = start();
      const ended = once(child, "exit");
      await waitFor(() => destination.arrivals.length > before || destination.isComplete(made.torrentId), {
        what: "a piece of this round",
        timeoutMs: 30_000,
      });
      seed = (seed * 48_271) % 2_147_483_647;
      await delay(seed % 300);
      child.kill("SIGKILL");
      await ended;
    }
    const child = start();
    try {
      await waitFor(async () => (await client.torrents.info())[0]?.tags === "synced", {
        what: "the tag",
        timeoutMs: 60_000,
      });
    } finally {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    const twice = destination.arrivals.length - new Set(destination.arrivals).size;
    expect(destination.isComplete(made.torrentId)).toBe(true);
    expect(twice).toBeLessThanOrEqual(rounds * windowPieces);
  });
});
