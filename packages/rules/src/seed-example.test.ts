import { QbitClient } from "@qbit-sidecars/qbit-client";
import { startFakeQbittorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { loadRules } from "./load-rules.ts";
import { ClientQbittorrent } from "./run/client-qbittorrent.ts";
import { runJob } from "./run/run-job.ts";
import { seedExample } from "./seed-example.ts";

function exampleRules() {
  const loaded = loadRules(seedExample);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.ruleset;
}

const now = Date.now();
const longAgo = Math.floor(now / 1000) - 40 * 86_400;
const done = { progress: 1, completion_on: longAgo, num_complete: 50 };

test("the documented example loads under strict without a warning", () => {
  expect(exampleRules()).toMatchObject({
    rules: [{ contexts: ["on_added"] }, { contexts: ["scheduled"] }, {}],
    warnings: [],
  });
});

for (const version of ["4.5.2", "5.3.0"] as const) {
  test(`on ${version}, on_added puts HD releases into their category and tags them, and nothing else`, async () => {
    const torrents = [{ name: "Film.1080P.mkv" }, { name: "Film.720p.mkv" }];
    await using fake = await startFakeQbittorrent({ version, torrents });
    using client = new QbitClient({ url: fake.url });
    const job = { context: "on_added" };
    const { counters } = await runJob(job, {
      ruleset: exampleRules(),
      qbittorrent: new ClientQbittorrent(client),
    });
    expect(fake.torrents.map(({ name, category, tags }) => ({ name, category, tags }))).toEqual([
      { name: "Film.1080P.mkv", category: "Movies-HD", tags: "hd" },
      { name: "Film.720p.mkv", category: "", tags: "" },
    ]);
    expect(counters).toMatchObject({ rules_matched: 1, actions_executed: 2, torrents_stopped: 1, errors: 0 });
  });

  test(`on ${version}, scheduled removes old well-seeded torrents but never their files, and forces rare ones`, async () => {
    const stopped = version === "4.5.2" ? "pausedUP" : "stoppedUP";
    const torrents = [
      { name: "old", fields: { ...done, ratio: 2, state: stopped } },
      {
        name: "young",
        fields: { ...done, ratio: 2, completion_on: Math.floor(now / 1000) - 86_400, state: stopped },
      },
      { name: "rare", fields: { ...done, num_complete: 1, ratio: 0.5, state: stopped } },
      { name: "loading", fields: { progress: 0.5, ratio: 3, num_complete: 1 } },
    ];
    await using fake = await startFakeQbittorrent({ version, torrents });
    using client = new QbitClient({ url: fake.url });
    const job = { context: "scheduled" };
    await runJob(job, { ruleset: exampleRules(), qbittorrent: new ClientQbittorrent(client) });
    expect(fake.torrents.map(({ name }) => name)).toEqual(["young", "rare", "loading"]);
    expect(fake.calls.list("torrents/delete").map(({ params }) => params["deleteFiles"])).toEqual(["false"]);
    expect(fake.torrents.find(({ name }) => name === "rare")).toMatchObject({ force_start: true });
  });

  test(`on ${version}, a job without a context runs none of them`, async () => {
    await using fake = await startFakeQbittorrent({ version, torrents: [{ name: "Film.2160p" }] });
    using client = new QbitClient({ url: fake.url });
    const { counters } = await runJob(
      {},
      { ruleset: exampleRules(), qbittorrent: new ClientQbittorrent(client) },
    );
    expect(counters).toMatchObject({ total_torrents: 1, rules_matched: 0 });
  });
}
