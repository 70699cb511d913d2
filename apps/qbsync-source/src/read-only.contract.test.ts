import { QbitClient } from "@qbit-sidecars/qbit-client";
import { freePort, isMissing, makeTorrent, startQbittorrent, waitFor } from "@qbit-sidecars/testing";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { DestinationStandIn } from "./destination-under-test.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** What `/downloads:ro` is in a container needs a mount namespace, and so root. */
const canMount = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;
if (!canMount) console.warn("SKIPPED: a data mount that is read-only; that needs `unshare -m`, and so root");

const mountReadOnly = 'mount --bind "$DATA" "$DATA" && mount -o remount,bind,ro "$DATA" && exec "$@"';

describe.skipIf(!canMount || (await isMissing("qBittorrent 5.3.0")))("a qbsync-source", () => {
  test("needs to write nothing: its data is mounted read-only and it has no other volume", async () => {
    await using qbittorrent = await startQbittorrent({ preferences: { refresh_interval: 100 } });
    await using destination = await DestinationStandIn.start();
    using client = new QbitClient({ url: qbittorrent.url });
    const files = [
      { path: "a.bin", size: 300_000 },
      { path: "empty", size: 0 },
      { path: "b.bin", size: 200_000 },
    ];
    const made = makeTorrent({ version: "hybrid", name: "read-only", files, pieceLength: 65_536 });
    await made.write(qbittorrent.savePath);
    await client.torrents.add({ files: [made.torrent], stopped: true, skipChecking: true });
    const child = spawn(
      "unshare",
      ["-m", "sh", "-c", mountReadOnly, "sh", process.execPath, main, "source"],
      {
        env: {
          PATH: process.env["PATH"],
          DATA: qbittorrent.savePath,
          QBSYNC_SOURCE_DATA: qbittorrent.savePath,
          QBSYNC_SOURCE_QB_URL: qbittorrent.url,
          QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${destination.port}`,
          QBSYNC_SOURCE_HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
          QBSYNC_SOURCE_POLL_INTERVAL: "100ms",
        },
        stdio: "ignore",
      },
    );
    const ended = once(child, "exit");
    try {
      const isTagged = async () => (await client.torrents.info())[0]?.tags === "synced";
      await waitFor(isTagged, { what: "the tag", timeoutMs: 60_000 });
      expect(destination.isComplete(made.torrentId)).toBe(true);
      const within = ["-t", String(child.pid), "-m", "touch", join(qbittorrent.savePath, "written")];
      expect(spawnSync("nsenter", within).stderr.toString()).toContain("Read-only file system");
    } finally {
      child.kill("SIGTERM");
      await ended;
    }
  });
});
