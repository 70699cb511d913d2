import {
  freePort,
  type MadeTorrent,
  makeTorrent,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { RunningApp } from "./run-app.ts";

const probe = fileURLToPath(new URL("live-heap-probe.ts", import.meta.url));
const isLong = process.env["QBIT_SIDECARS_LONG"] === "1";
const count = { warmUp: 20, measured: isLong ? 400 : 60 };

/** Each torrent is so large a `.torrent` that forgetting to forget one shows. Measured: 2 to 13 kB a torrent stay. */
const commentBytes = 200_000;
const keptAtMost = 50_000;

/** One of both sides: an app, the qBittorrent beside it, and what of its memory is alive. */
async function side(app: "qbsync-source" | "qbsync-destination", env: Record<string, string>) {
  const closers = new AsyncDisposableStack();
  const data = closers.use(await tempDir());
  const qbittorrent = closers.use(await startFakeQbittorrent({ preferences: { save_path: data.path } }));
  const prefix = app.toUpperCase().replace("-", "_");
  const heapFile = join(data.path, "live-heap");
  const own = { DATA: data.path, QB_URL: qbittorrent.url, HEALTH_ADDR: `127.0.0.1:${await freePort()}` };
  const running = closers.use(
    new RunningApp(app, {
      nodeArgs: ["--expose-gc", `--import=${probe}`],
      env: {
        LOG_LEVEL: "warn",
        LIVE_HEAP_FILE: heapFile,
        ...Object.fromEntries(
          Object.entries({ ...own, ...env }).map(([name, value]) => [`${prefix}_${name}`, value]),
        ),
      },
    }),
  );
  const readings = async () => (await readFile(heapFile, "utf8").catch(() => "")).split("\n").slice(0, -1);
  return {
    data: data.path,
    qbittorrent,
    tagsOf({ torrentId }: MadeTorrent): string[] {
      const tags = qbittorrent.torrents.find(({ hash }) => hash === torrentId)?.["tags"];
      return typeof tags === "string" ? tags.split(", ") : [];
    },
    /** The least of several readings: what was removed a moment ago is forgotten a second later. */
    async liveBytes(): Promise<number> {
      const before = (await readings()).length;
      for (let reading = 1; reading <= 5; reading += 1) {
        running.kill("SIGUSR2");
        await waitFor(async () => (await readings()).length === before + reading, {
          what: `a reading of ${app}`,
        });
        await delay(1000);
      }
      return Math.min(...(await readings()).slice(before).map(Number));
    },
    [Symbol.asyncDispose]: () => closers.disposeAsync(),
  };
}

test(
  "torrents that came, were sent, finished, and deleted at both ends are forgotten: what is alive in memory grows by next to nothing",
  { timeout: 120_000 + count.measured * 3000 },
  async () => {
    const port = await freePort();
    await using home = await side("qbsync-destination", {
      LISTEN: `127.0.0.1:${port}`,
      KEEP_FREE: "0",
      POLL_INTERVAL: "100ms",
      COMMIT_INTERVAL: "20ms",
    });
    await using seedbox = await side("qbsync-source", {
      DESTINATION_ADDR: `127.0.0.1:${port}`,
      POLL_INTERVAL: "100ms",
      SLEEP: "1s",
      MIN_SPACE: "0",
    });
    const liveOfTorrent = async (next: number): Promise<void> => {
      const made = makeTorrent({
        version: "v1",
        files: [{ path: `film ${next}.bin`, size: 1_000_000 }],
        pieceLength: 65_536,
        seed: next,
        comment: "x".repeat(commentBytes),
      });
      await made.write(seedbox.data);
      const paths = (folder: string) => made.files.map(({ path }) => join(folder, path));
      seedbox.qbittorrent.putFiles(paths(seedbox.data));
      home.qbittorrent.putFiles(paths(home.data));
      const fields = { progress: 1, state: "stalledUP" };
      seedbox.qbittorrent.addTorrent({ torrent: made.torrent, savePath: seedbox.data, fields });
      const patience = { what: made.files[0]!.path, timeoutMs: 60_000 };
      await waitFor(() => seedbox.tagsOf(made).includes("synced"), patience);
      seedbox.qbittorrent.removeTorrent(made.torrentId);
      await waitFor(() => home.tagsOf(made).includes("source-removed"), patience);
      home.qbittorrent.removeTorrent(made.torrentId);
      for (const path of [...paths(seedbox.data), ...paths(home.data)]) await rm(path);
    };
    const run = async (from: number, to: number): Promise<void> => {
      const numbers = Array.from({ length: to - from }, (_, index) => from + index).values();
      const lane = async (): Promise<void> => {
        for (const next of numbers) await liveOfTorrent(next);
      };
      await Promise.all(Array.from({ length: 8 }, lane));
    };
    await run(0, count.warmUp);
    const before = [await seedbox.liveBytes(), await home.liveBytes()];
    await run(count.warmUp, count.warmUp + count.measured);
    const after = [await seedbox.liveBytes(), await home.liveBytes()];
    const [atSource = 0, atDestination = 0] = after.map(
      (bytes, index) => (bytes - (before[index] ?? 0)) / count.measured,
    );
    console.log(`a torrent leaves ${atSource.toFixed(0)} bytes here and ${atDestination.toFixed(0)} there`);
    expect(atSource).toBeLessThan(keptAtMost);
    expect(atDestination).toBeLessThan(keptAtMost);
  },
);
