import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  isMissing,
  makeTorrent,
  qbittorrentVersionsUnderTest,
  startQbittorrent,
  waitFor,
} from "@qbit-sidecars/testing";
import { createServer } from "node:http";
import { describe, expect, test } from "vitest";
import { rule, rulesOf } from "../rules-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { runJob } from "./run-job.ts";

const timeoutMs = 30_000;

async function act(client: QbitClient, action: object, hash?: string): Promise<number> {
  const options = {
    ruleset: rulesOf({ rules: [rule({}, action)] }),
    qbittorrent: new ClientQbittorrent(client),
  };
  const { counters } = await runJob({ hash }, options);
  expect(counters.errors).toBe(0);
  return counters.actions_executed;
}

for (const version of qbittorrentVersionsUnderTest()) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`on qBittorrent ${version}`, () => {
    test("the queue is in the order that the rules give it", { timeout: 120_000 }, async () => {
      await using server = await startQbittorrent({
        version,
        preferences: { refresh_interval: 100, queueing_enabled: true },
      });
      using client = new QbitClient({ url: server.url });
      const made = ["a", "b", "c"].map((name) =>
        makeTorrent({
          version: "v1",
          name,
          files: [{ path: name, size: 100_000 }],
          seed: name.codePointAt(0) ?? 0,
        }),
      );
      for (const { torrent } of made) await client.torrents.add({ files: [torrent], stopped: true });
      const order = async () =>
        (await client.torrents.info())
          .toSorted((a, b) => a.priority - b.priority)
          .map(({ name }) => name)
          .join("");
      const becomes = async (wanted: string) =>
        await waitFor(async () => (await order()) === wanted, { what: `the order ${wanted}`, timeoutMs });
      const last = made[2]?.torrentId;
      await becomes("abc");
      await act(client, { type: "set_top_priority" }, last);
      await becomes("cab");
      await expect(act(client, { type: "set_top_priority" }, last)).resolves.toBe(0);
      await act(client, { type: "decrease_priority" }, last);
      await becomes("acb");
      await act(client, { type: "increase_priority" }, last);
      await becomes("cab");
      await act(client, { type: "set_bottom_priority" }, last);
      await becomes("abc");
    });

    test(
      "a recheck finds what is on the disk, and what is complete can be super seeded",
      { timeout: 120_000 },
      async () => {
        await using server = await startQbittorrent({ version, preferences: { refresh_interval: 100 } });
        using client = new QbitClient({ url: server.url });
        const made = makeTorrent({ version: "v1", files: [{ path: "film.mkv", size: 100_000 }] });
        const see = async () => (await client.torrents.info({ hashes: [made.torrentId] }))[0];
        await client.torrents.add({ files: [made.torrent], stopped: false });
        await waitFor(async () => (await see())?.state === "stalledDL", {
          what: "it to look for peers",
          timeoutMs,
        });
        await made.write(server.savePath);
        await act(client, { type: "recheck" });
        await waitFor(async () => (await see())?.state === "stalledUP", {
          what: "it to be complete",
          timeoutMs,
        });
        for (const enabled of [true, false]) {
          const action = { type: "set_super_seeding", params: { enabled } };
          await act(client, action);
          await waitFor(async () => (await see())?.super_seeding === enabled, {
            what: `super seeding: ${enabled}`,
            timeoutMs,
          });
          await expect(act(client, action)).resolves.toBe(0);
        }
      },
    );

    test("a reannounce reaches the tracker", { timeout: 120_000 }, async () => {
      let announces = 0;
      const tracker = createServer((_, response) => {
        announces += 1;
        response.end("d8:intervali1800e12:min intervali1e5:peers0:e");
      });
      await new Promise<void>((resolve) => void tracker.listen(0, "127.0.0.1", resolve));
      const address = tracker.address();
      const port = typeof address === "object" ? address?.port : undefined;
      try {
        await using server = await startQbittorrent({ version, preferences: { refresh_interval: 100 } });
        using client = new QbitClient({ url: server.url });
        const made = makeTorrent({ version: "v1", files: [{ path: "film.mkv", size: 100_000 }] });
        await client.torrents.add({ files: [made.torrent], stopped: false });
        await waitFor(async () => (await client.torrents.info()).length === 1, {
          what: "it to be there",
          timeoutMs,
        });
        await act(client, { type: "add_trackers", params: { url: `http://127.0.0.1:${port}/announce` } });
        await waitFor(() => announces > 0, { what: "the first announce", timeoutMs });
        const before = announces;
        await act(client, { type: "reannounce" });
        // 4.x keeps to the 5 minutes between announces all the same (measured on 4.5.2).
        if (version.startsWith("4.")) return;
        await waitFor(() => announces > before, { what: "another announce", timeoutMs });
      } finally {
        tracker.close();
        tracker.closeAllConnections();
      }
    });
  });
}
