import { QbitClient } from "@qbit-sidecars/qbit-client";
import { startFakeQbittorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { fieldTable } from "../language/fields.ts";
import { plan } from "../plan/plan.ts";
import { Subject } from "../plan/subject.ts";
import { rulesOf } from "../rules-under-test.ts";
import { actionCases } from "./actions-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { runJob } from "./run-job.ts";

const sources = new Set(["list", "clock"]);
const fields = [...fieldTable().values()].filter(
  ({ source, name }) => sources.has(source) && name.startsWith("info."),
);
const needsFiles = { field: "files.count", operator: ">", value: 0 };

/** For each field a rule that asks for it, and one that tells it; for each action a rule that does it. All wait for files. */
const rules = [
  ...fields.map(({ name }) => ({
    name: `asks ${name}`,
    conditions: [needsFiles, { field: name, operator: "exists" }],
    actions: [{ type: "webhook", params: { url: "http://x", body: { [name]: `\${${name}}` } } }],
  })),
  ...fields.map(({ name }) => ({
    name: `tells ${name}`,
    conditions: [needsFiles],
    actions: [{ type: "webhook", params: { url: "http://x", body: { [name]: `\${${name}}` } } }],
  })),
  ...actionCases.map(({ action }, at) => ({
    name: `does ${action.type} ${at}`,
    conditions: [needsFiles],
    actions: [action],
  })),
];

test("a torrent that waited for data is planned as if nothing of it had been left out meanwhile", async () => {
  const torrents = [
    { name: "done", fields: { progress: 1, ratio: 2 }, tags: ["a", "c"], category: "x" },
    { name: "not done", stopped: true, fields: { priority: 3 } },
  ];
  await using fake = await startFakeQbittorrent({ torrents });
  using client = new QbitClient({ url: fake.url });
  for (const one of rules) {
    const ruleset = rulesOf({ rules: [one] });
    const now = Date.now();
    const options = { ruleset, qbittorrent: new ClientQbittorrent(client), now };
    const { entries } = await runJob({ dryRun: true }, options);
    const subjects = [];
    for (const torrent of await client.torrents.info()) {
      const subject = new Subject(torrent, { now });
      subject.setPart("files", await client.torrents.files(torrent.hash));
      subject.setPart("trackerUrls", []);
      subjects.push(subject);
    }
    const bare = (changes: readonly { hash: string; before: unknown; after: unknown }[]) =>
      changes.map(({ hash, before, after }) => ({ hash, before, after }));
    expect(bare(entries), one.name).toEqual(bare(plan(ruleset, subjects).changes));
  }
});
