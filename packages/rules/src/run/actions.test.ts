import { QbitClient } from "@qbit-sidecars/qbit-client";
import { makeTorrent, startFakeQbittorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { actionTable } from "../language/actions.ts";
import { rule, rulesOf } from "../rules-under-test.ts";
import { actionCases } from "./actions-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { runJob } from "./run-job.ts";

const place = "/downloads";

test.each(["4.2.5", "4.5.2", "5.1.0", "5.3.0"] as const)(
  "on a fake %s every action does what it says, and does nothing when it is done already",
  { timeout: 60_000 },
  async (version) => {
    const { torrent } = makeTorrent({
      version: "v1",
      name: "film",
      files: [
        { path: "film/film.mkv", size: 100_000 },
        { path: "film/sample.mkv", size: 20_000 },
      ],
    });
    await using fake = await startFakeQbittorrent({
      version,
      preferences: { queueing_enabled: true },
      torrents: [{ torrent }],
    });
    using client = new QbitClient({ url: fake.url });
    const qbittorrent = new ClientQbittorrent(client);
    const see = async () => {
      const [seen] = await client.torrents.info();
      if (seen === undefined) throw new Error("the torrent is not there");
      const { hash } = seen;
      const trackers = (await client.torrents.trackers(hash)).map(({ url }) => url);
      const urls = trackers.filter((url) => !url.startsWith("**"));
      return { torrent: seen, files: await client.torrents.files(hash), urls };
    };
    for (const { action, shows, again = "skipped" } of actionCases) {
      const what = JSON.stringify(action);
      const source: unknown = JSON.parse(what.replace("PLACE", place));
      const ruleset = rulesOf({ rules: [rule({}, source)] });
      const { counters, entries } = await runJob({}, { ruleset, qbittorrent });
      expect(counters.errors, `${what}: ${entries[0]?.error}`).toBe(0);
      await expect.poll(async () => shows(await see(), place), { message: what, timeout: 10_000 }).toBe(true);
      if (again === "an event") continue;
      const second = await runJob({}, { ruleset, qbittorrent });
      expect(second.entries, `${what} again`).toEqual([]);
      expect(second.counters.actions_skipped, `${what} again`).toBe(1);
    }
  },
);

test("these are all actions there are, beside those that leave qBittorrent and the deletion", () => {
  const tried = actionCases.map(({ action }) => action.type);
  const elsewhere = ["delete_torrent", "notify", "webhook", "arr_blocklist", "export"];
  const names = new Set([...actionTable().values()].map(({ name }) => name));
  expect([...new Set([...tried, ...elsewhere])].toSorted()).toEqual([...names].toSorted());
});
