import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  isMissing,
  makeTorrent,
  qbittorrentVersionsUnderTest,
  startQbittorrent,
  waitFor,
} from "@qbit-sidecars/testing";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rule, rulesOf } from "../rules-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { actionCases, type Seen } from "./actions-under-test.ts";
import { runJob } from "./run-job.ts";

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`on qBittorrent ${version}`, () => {
    test(
      "every action does what it says, and does nothing when it is done already",
      { timeout: 180_000 },
      async () => {
        await using server = await startQbittorrent({
          version,
          preferences: { refresh_interval: 100, queueing_enabled: true },
        });
        using client = new QbitClient({ url: server.url });
        const qbittorrent = new ClientQbittorrent(client);
        const made = makeTorrent({
          version: "v1",
          name: "film",
          files: [
            { path: "film/film.mkv", size: 100_000 },
            { path: "film/sample.mkv", size: 20_000 },
          ],
        });
        await client.torrents.add({ files: [made.torrent], stopped: false });
        const see = async (): Promise<Seen> => {
          const [torrent] = await client.torrents.info({ hashes: [made.torrentId] });
          if (torrent === undefined) throw new Error("the torrent is not there");
          const urls = (await client.torrents.trackers(made.torrentId))
            .map(({ url }) => url)
            .filter((url) => !url.startsWith("**"));
          return { torrent, files: await client.torrents.files(made.torrentId), urls };
        };
        await waitFor(async () => !/^(checking|meta)/.test((await see()).torrent.state), {
          what: "the torrent to settle",
          timeoutMs: 20_000,
        });
        const place = server.savePath.replace(/\/$/, "");
        for (const { action, shows, again = "skipped" } of actionCases) {
          const what = JSON.stringify(action);
          const source: unknown = JSON.parse(what.replace("PLACE", place));
          const ruleset = rulesOf({
            rules: [rule([{ field: "info.hash", operator: "==", value: made.torrentId }], source)],
          });
          const { counters, entries } = await runJob({ hash: made.torrentId }, { ruleset, qbittorrent });
          expect(counters.errors, `${what}: ${entries[0]?.error}`).toBe(0);
          await waitFor(async () => shows(await see(), place), {
            what: `${what} to show`,
            timeoutMs: 20_000,
          });
          if (again === "an event") continue;
          const second = await runJob({ hash: made.torrentId }, { ruleset, qbittorrent });
          expect(second.entries, `${what} again`).toEqual([]);
        }
      },
    );

    test(
      "deleting spares the data unless told otherwise, and data that another torrent uses",
      { timeout: 120_000 },
      async () => {
        await using server = await startQbittorrent({ version, preferences: { refresh_interval: 100 } });
        using client = new QbitClient({ url: server.url });
        const qbittorrent = new ClientQbittorrent(client);
        const files = [{ path: "film.mkv", size: 100_000 }];
        const [one, other] = [
          makeTorrent({ version: "v1", files }),
          makeTorrent({ version: "v1", files, private: true }),
        ];
        await one.write(server.savePath);
        for (const made of [one, other])
          await client.torrents.add({
            files: [made.torrent],
            stopped: false,
          });
        await waitFor(
          async () => (await client.torrents.info()).filter(({ progress }) => progress === 1).length === 2,
          { what: "both torrents to be complete", timeoutMs: 30_000 },
        );
        const removal = (deleteFiles: unknown) =>
          rulesOf({
            safety: { max_deletes_percent: 100 },
            rules: [
              rule([{ field: "info.progress", operator: "==", value: 1 }], {
                type: "delete_torrent",
                params: { delete_files: deleteFiles },
              }),
            ],
          });
        const isThere = async () =>
          await access(join(server.savePath, "film.mkv")).then(
            () => true,
            () => false,
          );
        const [{ content_path: contentPath } = { content_path: undefined }] = await client.torrents.info();
        // Where qBittorrent tells where data is, `true` spares it as well.
        const sparing = contentPath === undefined ? "if_unshared" : true;
        await runJob({ hash: one.torrentId }, { ruleset: removal(sparing), qbittorrent });
        await waitFor(async () => (await client.torrents.info()).length === 1, {
          what: "one torrent to be gone",
          timeoutMs: 20_000,
        });
        await expect(isThere()).resolves.toBe(true);
        await runJob({ hash: other.torrentId }, { ruleset: removal("if_unshared"), qbittorrent });
        await waitFor(async () => (await client.torrents.info()).length === 0, {
          what: "both torrents to be gone",
          timeoutMs: 20_000,
        });
        // 4.2 does not tell where data is, so nobody can know that it is unused.
        const stays = contentPath === undefined;
        await waitFor(async () => (await isThere()) === stays, {
          what: stays ? "the data to stay" : "the data to be gone",
          timeoutMs: 20_000,
        });
      },
    );

    test("fields of every source are read", { timeout: 120_000 }, async () => {
      await using server = await startQbittorrent({ version, preferences: { refresh_interval: 100 } });
      using client = new QbitClient({ url: server.url });
      const made = makeTorrent({ version: "v1", files: [{ path: "film.mkv", size: 100_000 }] });
      await client.torrents.add({ files: [made.torrent], stopped: true });
      const conditions = [
        { field: "info.size", operator: "==", value: 100_000 },
        { field: "files.ext", operator: "==", value: "mkv" },
        { field: "properties.piece_size", operator: ">", value: 0 },
        { field: "properties.time_elapsed", operator: ">=", value: 0 },
        { field: "trackers.url", operator: "is_empty" },
        { field: "peers.ip", operator: "is_empty" },
        { field: "webseeds.url", operator: "is_empty" },
        { field: "transfer.connection_status", operator: "exists" },
        { field: "app.listen_port", operator: "==", value: server.listenPort },
        { field: "disk.free", operator: ">", value: "1 MB" },
        { field: "time.hour", operator: "<", value: 24 },
      ];
      const ruleset = rulesOf({ rules: [rule(conditions)] });
      await waitFor(async () => (await client.torrents.info()).length === 1, {
        what: "the torrent to be listed",
        timeoutMs: 20_000,
      });
      const { counters, trace } = await runJob(
        { trace: true, dryRun: true },
        { ruleset, qbittorrent: new ClientQbittorrent(client) },
      );
      expect(counters.rules_matched, JSON.stringify(trace)).toBe(1);
    });
  });
}
