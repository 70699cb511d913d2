import { QbitClient } from "@qbit-sidecars/qbit-client";
import { startFakeQbittorrent } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { rule, rulesOf } from "../rules-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { runJob } from "./run-job.ts";

const every = [{ field: "info.name", operator: "starts_with", value: "t" }];
const hashes = Array.from({ length: 30 }, (_, at) => at.toString(16).padStart(40, "0"));

describe("several torrents in one run", () => {
  test("each has its own account, and one that is not there is told of by its hash", async () => {
    await using fake = await startFakeQbittorrent({
      torrents: hashes.slice(0, 3).map((hash, at) => ({ name: at === 1 ? "other" : "t", hash })),
    });
    using client = new QbitClient({ url: fake.url });
    const { torrents, entries, notReady } = await runJob(
      { hashes: [...hashes.slice(0, 2), "f".repeat(40)] },
      {
        ruleset: rulesOf({ rules: [rule(every, { type: "add_tag", params: { tag: "x" } })] }),
        qbittorrent: new ClientQbittorrent(client),
      },
    );
    expect(torrents.map(({ hash, matched }) => [hash, matched.length])).toEqual([
      [hashes[0], 1],
      [hashes[1], 0],
    ]);
    expect(entries.map(({ hash }) => hash)).toEqual([hashes[0]]);
    expect(notReady).toEqual([{ hash: "f".repeat(40), reasons: ["qBittorrent does not know it (yet)"] }]);
    expect(fake.torrents.map(({ tags }) => tags)).toEqual(["x", "", ""]);
  });

  test("how many there are in the run does not trip the guard of deletions", async () => {
    await using fake = await startFakeQbittorrent({ torrents: hashes.map((hash) => ({ name: "t", hash })) });
    using client = new QbitClient({ url: fake.url });
    const options = {
      ruleset: rulesOf({ rules: [rule(every, { type: "delete_torrent" })] }),
      qbittorrent: new ClientQbittorrent(client),
    };
    await expect(runJob({ hashes }, options)).resolves.toMatchObject({ held: [] });
    expect(fake.torrents).toEqual([]);
  });
});
