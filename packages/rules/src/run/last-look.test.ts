import { QbitClient } from "@qbit-sidecars/qbit-client";
import { type FakeQbittorrent, startFakeQbittorrent } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { rule, rulesOf } from "../rules-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { type Job, type JobOptions, runJob } from "./run-job.ts";
import { nodeOutside } from "./node-outside.ts";
import type { ListQuery, Outside } from "./seams.ts";

const every = [{ field: "info.name", operator: "starts_with", value: "t" }];
const anyShare = { max_deletes_percent: 100 };
const [first, second] = ["0".repeat(40), "1".repeat(40)];

const two = [
  { name: "t1", hash: first },
  { name: "t2", hash: second },
];

/** Two torrents of the same data, only the first of which the rules are about. */
const sharing = [
  { name: "t1", hash: first, path: "/data/film", savePath: "/data", files: [{ path: "film/a", size: 1 }] },
  {
    name: "other",
    hash: second,
    path: "/data/film",
    savePath: "/data",
    files: [{ path: "film/a", size: 1 }],
  },
];

/** A client to which something happens between the first list and the next. */
class Overtaken extends ClientQbittorrent {
  #happens: (() => void) | undefined;

  constructor(client: QbitClient, happens: () => void) {
    super(client);
    this.#happens = happens;
  }

  override async each(...given: Parameters<ClientQbittorrent["each"]>): Promise<void> {
    const [query]: [ListQuery, ...unknown[]] = given;
    await super.each(...given);
    if (query !== undefined) this.#happens?.();
    this.#happens = undefined;
  }
}

async function run(
  fake: FakeQbittorrent,
  rules: object,
  {
    job = {},
    meanwhile = () => {},
    ...options
  }: Partial<JobOptions> & { job?: Job; meanwhile?: () => void } = {},
) {
  using client = new QbitClient({ url: fake.url });
  return await runJob(job, {
    ruleset: rulesOf(rules),
    qbittorrent: new Overtaken(client, meanwhile),
    ...options,
  });
}

function removing(safety: object, ...actions: object[]): object {
  return { safety: { ...anyShare, ...safety }, rules: [rule(every, ...actions)] };
}

const remove = { type: "delete_torrent" };
const withFiles = (deleteFiles: unknown) => ({ ...remove, params: { delete_files: deleteFiles } });
const names = (fake: FakeQbittorrent) => fake.torrents.map(({ name }) => name);

describe("between the list and the deletion", () => {
  test.each([
    ["tagged", { tags: "keep" }, 'it has the protected tag "keep"'],
    ["moved to another category", { category: "archive/films" }, 'it is in the protected category "archive"'],
    ["rechecked", { state: "checkingResumeData" }, "qBittorrent is still finding out what it has of it"],
  ])("a torrent that is %s stays", async (_, fields, reason) => {
    await using fake = await startFakeQbittorrent({ torrents: two });
    const meanwhile = () => fake.updateTorrent(first, fields);
    const safety = { protected_tags: ["keep"], protected_categories: ["archive"] };
    const { held, counters } = await run(fake, removing(safety, remove), { meanwhile });
    expect(held).toEqual([{ hash: first, name: "t1", rule: "a rule", reason }]);
    expect([names(fake), counters.actions_executed]).toEqual([["t1"], 1]);
  });

  test("one that was removed by somebody else is told of, and the others are deleted", async () => {
    await using fake = await startFakeQbittorrent({ torrents: two });
    const meanwhile = () => fake.removeTorrent(first);
    const { held, entries } = await run(fake, removing({}, remove), { meanwhile });
    expect(held.map(({ reason }) => reason)).toEqual(["qBittorrent no longer lists it"]);
    expect(entries.map(({ name, result }) => [name, result])).toEqual([["t2", "done"]]);
  });

  test("a list that is empty all of a sudden deletes nothing", async () => {
    await using fake = await startFakeQbittorrent({ torrents: two });
    const meanwhile = () => two.forEach(({ hash }) => fake.removeTorrent(hash));
    await run(fake, removing({}, withFiles(true)), { meanwhile });
    expect(fake.calls.count("torrents/delete")).toBe(0);
  });

  test("nothing is looked at again where nothing is deleted", async () => {
    await using fake = await startFakeQbittorrent({ torrents: two });
    await run(fake, removing({}, { type: "add_tag", params: { tag: "x" } }));
    expect(fake.calls.count("torrents/info")).toBe(1);
  });
});

describe("guards mean what was meant", () => {
  test.each([
    ["KEEP ", "keep"],
    ["garder-\u00E9", "garder-e\u0301"],
  ])("the tag %j is protected by %j", async (tag, tags) => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t1", hash: first }] });
    fake.updateTorrent(first, { tags: tag.trim() });
    const { held } = await run(fake, removing({ protected_tags: [tags] }, remove));
    expect([held.length, names(fake)]).toEqual([1, ["t1"]]);
  });

  test("a category is protected with its subcategories, with a slash behind it or without", async () => {
    await using fake = await startFakeQbittorrent({ torrents: two });
    fake.updateTorrent(first, { category: "Archive/Films" });
    fake.updateTorrent(second, { category: "archived" });
    await run(fake, removing({ protected_categories: ["archive/"] }, remove));
    expect(names(fake)).toEqual(["t1"]);
  });

  test.each([-1, 0])(
    "with a min_age a torrent stays of which nobody knows when it was added (%d)",
    async (added_on) => {
      await using fake = await startFakeQbittorrent({ torrents: [{ name: "t1", hash: first }] });
      fake.updateTorrent(first, { added_on });
      const { held } = await run(fake, removing({ min_age: "1 day" }, remove));
      expect(held.map(({ reason }) => reason)).toEqual([
        "nobody knows when it was added, and there is a min_age",
      ]);
    },
  );

  test("without a min_age, clocks that differ do not matter", async () => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t1", hash: first }] });
    fake.updateTorrent(first, { added_on: Math.floor(Date.now() / 1000) + 60 });
    expect((await run(fake, removing({}, remove))).held).toEqual([]);
  });

  test("one that is still being looked at after a start is never deleted", async () => {
    await using fake = await startFakeQbittorrent({ torrents: two });
    fake.updateTorrent(first, { state: "checkingResumeData" });
    await run(fake, removing({}, remove));
    expect(names(fake)).toEqual(["t1"]);
  });
});

describe("data that another torrent uses", () => {
  test.each([
    [true, "false", "deleted, data kept: 1 other torrents use its data"],
    ["if_unshared", "false", "deleted, data kept: 1 other torrents use its data"],
    ["always", "true", "deleted with its data, whoever uses it"],
    [false, "false", "deleted, data kept"],
  ] as const)("delete_files: %s sends deleteFiles=%s", async (deleteFiles, sent, after) => {
    for (const dryRun of [true, false]) {
      await using fake = await startFakeQbittorrent({ torrents: sharing });
      const { entries } = await run(fake, removing({}, withFiles(deleteFiles)), { job: { dryRun } });
      expect(entries.map((entry) => entry.after)).toEqual([after]);
      const deletions = fake.calls.list("torrents/delete").map(({ params }) => params["deleteFiles"]);
      expect(deletions).toEqual(dryRun ? [] : [sent]);
    }
  });

  test("goes with the last of them when all of them go", async () => {
    await using fake = await startFakeQbittorrent({
      torrents: sharing.map((each) => ({ ...each, name: "t" })),
    });
    await run(fake, removing({}, withFiles(true)));
    expect(fake.calls.list("torrents/delete").map(({ params }) => params["deleteFiles"])).toEqual(["true"]);
  });

  test("goes on a qBittorrent too old to tell where data is, if that was asked for", async () => {
    await using fake = await startFakeQbittorrent({ version: "4.2.5", torrents: two });
    await run(fake, removing({}, withFiles(true)));
    expect(fake.calls.list("torrents/delete").map(({ params }) => params["deleteFiles"])).toEqual(["true"]);
  });

  test.each([
    [sharing, "false", "blocklisted, not removed: 1 other torrents use its data"],
    [sharing.slice(0, 1), "true", "blocklisted"],
  ] as const)("is not for Sonarr to remove", async (torrents, removeFromClient, after) => {
    await using fake = await startFakeQbittorrent({ torrents: [...torrents] });
    const asked: string[] = [];
    const records = [{ id: 7, downloadId: first, episodeId: 1 }];
    const outside: Outside = {
      ...nodeOutside,
      async send({ method, url }) {
        asked.push(`${method} ${url}`);
        return { status: 200, body: JSON.stringify({ totalRecords: 1, records }) };
      },
    };
    const params = { service: "sonarr", url: "http://sonarr", api_key: "k", remove_from_client: true };
    const { entries } = await run(fake, removing({}, { type: "arr_blocklist", params }), { outside });
    expect(entries.map((entry) => [entry.after, entry.error])).toEqual([[after, undefined]]);
    expect(asked.find((line) => line.startsWith("DELETE"))).toContain(`removeFromClient=${removeFromClient}`);
  });
});
