import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  freePort,
  isMissing,
  makeTorrent,
  type RunningQbittorrent,
  startQbittorrent,
  waitFor,
} from "@qbit-sidecars/testing";
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runApp } from "./run-app.ts";

/** Every name below a folder, with what is in it and when it was last changed. */
async function tree(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const { mtimeMs, mode, nlink } = await stat(path);
    const content = entry.isFile()
      ? createHash("sha256")
          .update(await readFile(path))
          .digest("hex")
      : "";
    return [path, `${mode} ${nlink} ${mtimeMs} ${content}`] as const;
  });
  return Object.fromEntries(await Promise.all(found));
}

/** What a person could have set, of every torrent, and the tags and categories that there are. */
async function settings({ url }: RunningQbittorrent): Promise<unknown> {
  const client = new QbitClient({ url });
  try {
    const [torrents, tags, categories] = await Promise.all([
      client.torrents.info(),
      client.torrents.tags(),
      client.torrents.categories(),
    ]);
    const kept = torrents.map(({ hash, state, tags: own, category, save_path, progress, size }) => ({
      hash,
      isStopped: /^(stopped|paused)/.test(state),
      own,
      category,
      save_path,
      progress,
      size,
    }));
    return { kept, tags, categories };
  } finally {
    client.close();
  }
}

const made = makeTorrent({
  version: "v1",
  name: "dry",
  files: [{ path: "a.bin", size: 300_000 }],
  seed: 11,
});

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("a dry run of", () => {
  test.each([
    ["the source", "source", "qbsync-source", /dry run: .* would be synced/],
    ["the destination", "destination", "qbsync-destination", /dry run: would receive up to/],
  ] as const)(
    "%s says what it would do, and leaves files and both qBittorrents as they were",
    async (...[, dry, who, words]) => {
      await using closers = new AsyncDisposableStack();
      const [seedbox, home] = await Promise.all([startQbittorrent({}), startQbittorrent({})]);
      for (const server of [seedbox, home]) closers.use(server);
      await made.write(seedbox.savePath);
      const client = closers.adopt(new QbitClient({ url: seedbox.url }), (one) => one.close());
      await client.torrents.add({ files: [made.torrent], skipChecking: true, savePath: seedbox.savePath });
      await waitFor(async () => (await client.torrents.info())[0]?.state === "stalledUP", {
        what: "the torrent to seed",
      });
      const look = async () =>
        await Promise.all([tree(seedbox.savePath), settings(seedbox), tree(home.savePath), settings(home)]);
      const before = await look();

      const [listen, health, other] = await Promise.all(
        [1, 2, 3].map(async () => `127.0.0.1:${await freePort()}`),
      );
      const destination = closers.use(
        runApp("qbsync-destination", {
          env: {
            QBSYNC_DESTINATION_DATA: home.savePath,
            QBSYNC_DESTINATION_QB_URL: home.url,
            QBSYNC_DESTINATION_LISTEN: listen ?? "",
            QBSYNC_DESTINATION_HEALTH_ADDR: other ?? "",
            ...(dry === "destination" && { QBSYNC_DESTINATION_DRY_RUN: "true" }),
          },
        }),
      );
      const source = closers.use(
        runApp("qbsync-source", {
          args: ["source"],
          env: {
            QBSYNC_SOURCE_DATA: seedbox.savePath,
            QBSYNC_SOURCE_QB_URL: seedbox.url,
            QBSYNC_SOURCE_DESTINATION_ADDR: listen ?? "",
            QBSYNC_SOURCE_HEALTH_ADDR: health ?? "",
            QBSYNC_SOURCE_SLEEP: "1s",
            // Whatever there is, it would be too little.
            QBSYNC_SOURCE_MIN_SPACE: "1000000",
            QBSYNC_SOURCE_MIN_SEEDING_TIME: "0",
            ...(dry === "source" && { QBSYNC_SOURCE_DRY_RUN: "true" }),
          },
        }),
      );
      const { lines } = who === "qbsync-source" ? source : destination;
      await waitFor(() => lines.some(({ msg }) => words.test(msg)), {
        what: "the log's line",
        timeoutMs: 30_000,
      });
      const looksAtSpace = async () => {
        const text = await (await fetch(`http://${health}/metrics`)).text();
        return Number(/^reconcile_steps_total\{[^}]*loop="clean-up"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0);
      };
      await waitFor(async () => (await looksAtSpace()) >= 3, {
        what: "the free space to be looked at",
        timeoutMs: 30_000,
      });
      const state = JSON.parse(await (await fetch(`http://${health}/status`)).text());
      expect(state.torrents).toMatchObject([{ name: "dry", needed: null, there_bytes: null }]);
      // Not even a folder of its own.
      expect(await look()).toEqual(before);
    },
  );
});
