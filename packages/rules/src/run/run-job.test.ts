import { QbitClient } from "@qbit-sidecars/qbit-client";
import {
  type FakeQbittorrent,
  type FakeQbittorrentOptions,
  startFakeQbittorrent,
  tempDir,
} from "@qbit-sidecars/testing";
import fc from "fast-check";
import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { rule, rulesOf } from "../rules-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { type Job, type JobOptions, runJob } from "./run-job.ts";
import type { Outside } from "./seams.ts";

const every = [{ field: "info.name", operator: "starts_with", value: "t" }];
const remove = { type: "delete_torrent" };

async function run(
  fake: FakeQbittorrent,
  rules: object,
  { job = {}, ...options }: Partial<JobOptions> & { job?: Job } = {},
) {
  using client = new QbitClient({ url: fake.url });
  return await runJob(job, {
    ruleset: rulesOf(rules),
    qbittorrent: new ClientQbittorrent(client),
    ...options,
  });
}

function many(count: number): NonNullable<FakeQbittorrentOptions["torrents"]> {
  return Array.from({ length: count }, (_, at) => ({
    name: `t${at}`,
    hash: at.toString(16).padStart(40, "0"),
  }));
}

describe("safe deletes", () => {
  test("more deletions than max_deletes are none, and everything else is still done", async () => {
    await using fake = await startFakeQbittorrent({ torrents: many(30) });
    const rules = {
      safety: { max_deletes_percent: 100 },
      rules: [rule(every, { type: "add_tag", params: { tag: "x" } }, remove)],
    };
    const { held, counters } = await run(fake, rules);
    expect(fake.torrents).toHaveLength(30);
    expect(counters).toMatchObject({ actions_executed: 30, errors: 0 });
    expect(held).toHaveLength(30);
    expect(held[0]?.reason).toBe(
      "30 deletions are more than max_deletes (25) allows in one run, so none is done",
    );
  });

  test("what Sonarr is to remove is deleted, too: the same guards hold", async () => {
    await using fake = await startFakeQbittorrent({ torrents: many(30) });
    const sent: string[] = [];
    const outside: Outside = {
      async send({ method, url }) {
        sent.push(`${method} ${url}`);
        return { status: 200, body: '{"records":[]}' };
      },
      saveFile: async () => {},
    };
    const blocklist = (remove_from_client: boolean) => ({
      type: "arr_blocklist",
      params: { service: "sonarr", url: "http://sonarr", api_key: "k", remove_from_client },
    });
    const rules = (...actions: object[]) => ({ rules: [rule(every, ...actions)] });
    expect((await run(fake, rules(blocklist(true)), { outside })).held[0]?.reason).toContain("max_deletes");
    const isProtected = {
      safety: { protected_categories: [""], max_deletes_percent: 100, max_deletes: 30 },
      ...rules(blocklist(true)),
    };
    expect((await run(fake, isProtected, { outside })).held[0]?.reason).toContain("protected category");
    expect(sent).toEqual([]);
    const both = {
      safety: { max_deletes_percent: 100, max_deletes: 30 },
      ...rules(blocklist(true), remove),
    };
    expect((await run(fake, both, { outside, job: { dryRun: true } })).held).toEqual([]);
    await run(fake, rules(blocklist(false)), { outside });
    expect(sent).toHaveLength(30);
  });

  test("nor more than the share of the library; one is always allowed", async () => {
    await using fake = await startFakeQbittorrent({ torrents: many(30) });
    const some = (pattern: string) => ({
      rules: [rule([{ field: "info.name", operator: "matches", value: pattern }], remove)],
    });
    expect((await run(fake, some("^t[0-3]$"))).held[0]?.reason).toContain("max_deletes_percent (10 % of 30)");
    expect((await run(fake, some("^t[0-2]$"))).held).toEqual([]);
    expect(fake.torrents).toHaveLength(27);
    await using small = await startFakeQbittorrent({ torrents: many(2) });
    expect((await run(small, some("^t0$"))).held).toEqual([]);
  });

  test("protected tags and categories, and young torrents, stay, whatever earlier rules changed", async () => {
    const torrents = [
      { name: "t-tag", tags: ["keep"] },
      { name: "t-category", category: "archive/old" },
      { name: "t-young" },
      { name: "t-old", fields: { added_on: 1_000_000_000 } },
    ];
    const fields = { added_on: 1_000_000_000 };
    await using fake = await startFakeQbittorrent({
      torrents: torrents.map((torrent) => (torrent.name === "t-young" ? torrent : { ...torrent, fields })),
    });
    const rules = {
      safety: {
        protected_tags: ["keep"],
        protected_categories: ["archive"],
        min_age: "1 day",
        max_deletes_percent: 100,
      },
      rules: [rule(every, { type: "remove_tag", params: { tag: "keep" } }, remove)],
    };
    const { held } = await run(fake, rules);
    expect(fake.torrents.map(({ name }) => name)).toEqual(["t-tag", "t-category", "t-young"]);
    expect(held.map(({ reason }) => reason.replace(/\d+ s/, "0 s"))).toEqual([
      'it has the protected tag "keep"',
      'it is in the protected category "archive"',
      "it was added 0 s ago, less than min_age (86400 s)",
    ]);
  });

  test("nothing is deleted on a list that lost most of its torrents, or while they are loading", async () => {
    await using fake = await startFakeQbittorrent({ torrents: many(12) });
    const rules = { rules: [rule([{ field: "info.name", operator: "==", value: "t11" }], remove)] };
    expect((await run(fake, rules, { lastTotal: 40 })).held[0]?.reason).toContain(
      "listed 12 torrents, and 40 the time before",
    );
    for (const { hash } of fake.torrents.slice(0, 8))
      fake.updateTorrent(JSON.stringify(hash).slice(1, -1), { state: "checkingResumeData" });
    expect((await run(fake, rules)).held[0]?.reason).toContain("still loading 8 of 12");
    expect(fake.torrents).toHaveLength(12);
  });

  test.each([undefined, "0".repeat(40)])(
    "if_unshared deletes data only when no staying torrent uses it (job about %s)",
    async (hash) => {
      const shared = { path: "/data/film", files: [{ path: "film/a.mkv", size: 10 }], savePath: "/data" };
      const torrents = [
        { ...shared, name: "t-first", hash: "0".repeat(40) },
        { ...shared, name: "other", hash: "1".repeat(40) },
      ];
      await using fake = await startFakeQbittorrent({ torrents });
      const rules = { rules: [rule(every, { ...remove, params: { delete_files: "if_unshared" } })] };
      const { entries } = await run(fake, rules, { job: { hash } });
      expect(entries[0]?.after).toBe("deleted, data kept: 1 other torrents use its data");
      expect(fake.calls.list("torrents/delete")[0]?.params["deleteFiles"]).toBe("false");
      const last = {
        rules: [
          rule([{ field: "info.name", operator: "==", value: "other" }], {
            ...remove,
            params: { delete_files: "if_unshared" },
          }),
        ],
      };
      await run(fake, last);
      expect(fake.calls.list("torrents/delete")[1]?.params["deleteFiles"]).toBe("true");
    },
  );

  test("the torrent files are saved first; what cannot be saved is not deleted", async () => {
    await using folder = await tempDir();
    await using fake = await startFakeQbittorrent({
      torrents: [{ name: "t-ok" }, { name: "t-magnet", isMagnet: true }],
    });
    const rules = {
      safety: { export_torrents_to: folder.path, max_deletes_percent: 100 },
      rules: [rule(every, remove)],
    };
    const { entries, counters } = await run(fake, rules);
    expect(await readdir(folder.path)).toEqual([
      `${entries.find(({ name }) => name === "t-ok")?.hash}.torrent`,
    ]);
    expect(fake.torrents.map(({ name }) => name)).toEqual(["t-magnet"]);
    expect(counters).toMatchObject({ actions_executed: 1, errors: 1 });
    expect(entries.find(({ result }) => result === "failed")?.error).toContain("could not be saved");
  });
});

describe("the run", () => {
  test(
    "equal changes of many torrents are one request, and nothing is read again",
    { timeout: 60_000 },
    async () => {
      await using fake = await startFakeQbittorrent({ torrents: many(1200) });
      const { counters } = await run(fake, {
        rules: [rule(every, { type: "add_tag", params: { tag: "x" } }, { type: "stop" })],
      });
      expect(counters).toMatchObject({ actions_executed: 2400, errors: 0 });
      expect([
        fake.calls.count("torrents/info"),
        fake.calls.count("torrents/addTags"),
        fake.calls.count("torrents/stop"),
      ]).toEqual([1, 3, 3]);
    },
  );

  test("a job about one torrent asks for that one only", async () => {
    await using fake = await startFakeQbittorrent({ torrents: many(50) });
    const hash = `${"0".repeat(38)}1F`;
    const { counters } = await run(fake, { rules: [rule(every, { type: "stop" })] }, { job: { hash } });
    expect(counters).toMatchObject({ total_torrents: 1, actions_executed: 1 });
    expect(fake.calls.list("torrents/info").map(({ params }) => params["hashes"])).toEqual([
      hash.toLowerCase(),
    ]);
    await expect(run(fake, { rules: [] }, { job: { hash: "all" } })).rejects.toThrow("not an infohash");
  });

  test("later rules see what earlier ones did; stop_on_match ends the run for a torrent", async () => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t" }] });
    const tagged = (tag: string) => [{ field: "info.tags", operator: "==", value: tag }];
    const rules = [
      { ...rule(every, { type: "add_tag", params: { tag: "a" } }), name: "1" },
      {
        ...rule(tagged("a"), { type: "set_category", params: { category: "c" } }),
        name: "2",
        stop_on_match: true,
      },
      { ...rule(tagged("a"), { type: "add_tag", params: { tag: "never" } }), name: "3" },
    ];
    const dry = await run(fake, { rules }, { job: { dryRun: true } });
    const { entries, counters } = await run(fake, { rules });
    expect(fake.torrents[0]).toMatchObject({ tags: "a", category: "c" });
    expect(dry.entries.map((entry) => ({ ...entry, result: "" }))).toEqual(
      entries.map((entry) => ({ ...entry, result: "" })),
    );
    expect(counters).toMatchObject({ rules_matched: 2, torrents_stopped: 1 });
    expect(entries[1]).toMatchObject({ before: "", after: "c", because: ['info.tags == "a" (is ["a"])'] });
  });

  test("files, trackers and properties are fetched for survivors only: in lists where the version has them", async () => {
    const torrents = Array.from({ length: 60 }, (_, at) => ({
      name: `${at % 2 === 0 ? "t" : "x"}${at}`,
      files: [{ path: "a.exe", size: 1 }],
      trackers: ["http://a.example/x"],
    }));
    const conditions = [
      ...every,
      { field: "files.ext", operator: "==", value: "exe" },
      { field: "trackers.host", operator: "==", value: "a.example" },
    ];
    const rules = { rules: [rule(conditions, { type: "add_tag", params: { tag: "x" } })] };
    const counts = async (version: "4.5.2" | "5.3.0") => {
      await using fake = await startFakeQbittorrent({ version, torrents });
      expect((await run(fake, rules)).counters).toMatchObject({ actions_executed: 30 });
      return ["torrents/info", "torrents/files", "torrents/trackers", "sync/maindata"].map((name) =>
        fake.calls.count(name),
      );
    };
    expect(await counts("5.3.0")).toEqual([3, 0, 0, 0]);
    expect(await counts("4.5.2")).toEqual([1, 30, 0, 1]);
  });

  test("a torrent that disappears while its data is fetched is left out", async () => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t" }] });
    fake.faults.set("torrents/files", {
      kind: "answer",
      status: 404,
      body: "Not Found",
      headers: { "content-type": "text/plain" },
    });
    const { counters, failed } = await run(fake, {
      rules: [rule([{ field: "files.count", operator: ">", value: 0 }])],
    });
    expect(counters).toMatchObject({ total_torrents: 1, torrents_evaluated: 0, errors: 0 });
    expect(failed).toEqual([]);
  });

  test("data that cannot be had leaves the rule unmatched, counted and told of", async () => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t" }] });
    fake.faults.set("torrents/files", { kind: "answer", status: 500, body: "boom" });
    const { counters, failed } = await run(fake, {
      rules: [rule({ none: [{ field: "files.count", operator: ">", value: 9 }] }, remove)],
    });
    expect(counters).toMatchObject({ rules_matched: 0, condition_errors: 1 });
    expect(failed[0]?.reason).toContain("500");
    expect(fake.torrents).toHaveLength(1);
  });

  test("an action that fails is counted and the others are done; when nothing gets through, the rest is not tried", async () => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t" }] });
    fake.faults.set("torrents/stop", { kind: "answer", status: 500, body: "boom" });
    const result = await run(fake, {
      rules: [rule(every, { type: "stop" }, { type: "add_tag", params: { tag: "x" } })],
    });
    expect(result.counters).toMatchObject({ actions_executed: 1, errors: 1 });
    expect(result.entries[0]).toMatchObject({ action: "stop", result: "failed" });
    for (const name of ["addTags", "setCategory", "recheck", "reannounce"])
      fake.faults.set(`torrents/${name}`, { kind: "answer", status: 500, body: "" });
    const actions = [
      { type: "stop" },
      { type: "recheck" },
      { type: "set_category", params: { category: "c" } },
      { type: "reannounce" },
    ];
    const { entries } = await run(fake, { rules: [rule(every, ...actions)] });
    expect(entries.at(-1)?.error).toContain("not tried");
    expect(fake.calls.count("torrents/reannounce")).toBe(0);
  });

  test("a pattern out of its budget never makes a rule match", { timeout: 30_000 }, async () => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: `t${"a".repeat(50)}!` }] });
    const conditions = { none: [{ field: "info.name", operator: "matches", value: "^t(a+)+(?=$)" }] };
    const { counters, failed } = await run(
      fake,
      { rules: [rule(conditions, remove)] },
      { slowPatternBudgetMs: 200 },
    );
    expect(counters).toMatchObject({ rules_matched: 0, condition_errors: 1 });
    expect(failed[0]?.reason).toContain("ran out of its time budget");
    expect(fake.torrents).toHaveLength(1);
  });

  test("tags in sync mode are taken off torrents the rule does not match, but not off those nobody knows about", async () => {
    const torrents = [
      { name: "t1" },
      { name: "x", tags: ["hd"] },
      { name: "x2", isMagnet: true, tags: ["hd"] },
    ];
    await using fake = await startFakeQbittorrent({ torrents });
    const conditions = { all: every, none: [{ field: "files.count", operator: ">", value: 5 }] };
    const either = { any: [conditions, { field: "files.count", operator: ">", value: 9 }] };
    await run(fake, { rules: [rule(either, { type: "add_tag", params: { tag: "hd", mode: "sync" } })] });
    expect(fake.torrents.map(({ name, tags }) => [name, tags])).toEqual([
      ["t1", "hd"],
      ["x", ""],
      ["x2", "hd"],
    ]);
  });

  test("free space, preferences and speeds can be asked for", async () => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t" }], preferences: { dht: false } });
    const conditions = [
      { field: "app.dht", operator: "==", value: false },
      { field: "transfer.connection_status", operator: "exists" },
      { field: "disk.free", operator: ">", value: "1 MB" },
      { field: "info.cross_seeds", operator: "==", value: 0 },
      { field: "time.hour", operator: "between", value: [0, 23] },
    ];
    expect((await run(fake, { rules: [rule(conditions)] })).counters).toMatchObject({ rules_matched: 1 });
  });
});

/** Rules whose conditions no action changes: applied once, there is nothing left to do. */
const stable = fc.record({
  conditions: fc.oneof(
    fc.constant({}),
    fc
      .record({
        field: fc.constant("info.name"),
        operator: fc.constantFrom("matches", "not_matches"),
        value: fc.constantFrom("[02468]$", "^t1", "x"),
      })
      .map((leaf) => [leaf]),
    fc
      .record({
        field: fc.constant("info.ratio"),
        operator: fc.constantFrom(">", "<="),
        value: fc.constantFrom(0.5, 1, 2),
      })
      .map((leaf) => ({ none: [leaf] })),
    fc.constant({
      any: [
        { field: "files.ext", operator: "==", value: "mkv" },
        { field: "trackers.host", operator: "contains", value: "a" },
      ],
    }),
  ),
  actions: fc.array(
    fc.oneof(
      fc.constantFrom("a", "b", "c").map((tag) => ({ type: "add_tag", params: { tag } })),
      fc.constantFrom("x", "y").map((tag) => ({ type: "remove_tag", params: { tag } })),
      fc.constant({ type: "stop" }),
      fc.constant({ type: "set_upload_limit", params: { limit: 1000 } }),
      fc.constant({ type: "set_share_limits", params: { ratio: 3, seeding_time: "2 days" } }),
      fc.constant({ type: "set_category", params: { category: "c" } }),
      fc.constant({ type: "add_trackers", params: { url: "http://new.example/x" } }),
      fc.constant({ type: "set_file_priority", params: { matching: "nfo$" } }),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  stop_on_match: fc.boolean(),
});

test(
  "dry run, trace and real run agree on random rules, and a second run finds nothing to do",
  { timeout: 60_000 },
  async () => {
    const torrents = Array.from({ length: 6 }, (_, at) => ({
      name: `t${at}`,
      tags: at % 2 === 0 ? ["x"] : ["y", "a"],
      trackers: ["http://a.example/x"],
      files: [
        { path: `t${at}/film.${at % 3 === 0 ? "mkv" : "avi"}`, size: 10 },
        { path: `t${at}/film.nfo`, size: 1 },
      ],
      fields: { ratio: at / 2, progress: at % 2 },
    }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(stable, { minLength: 1, maxLength: 4 }),
        fc.constantFrom("4.5.2" as const, "5.3.0" as const),
        async (random, version) => {
          await using fake = await startFakeQbittorrent({ version, torrents });
          const rules = { rules: random.map((one, at) => ({ ...one, name: `rule ${at}` })) };
          const dry = await run(fake, rules, { job: { dryRun: true, trace: true } });
          const real = await run(fake, rules);
          const second = await run(fake, rules);
          const bare = (entries: typeof real.entries) => entries.map((entry) => ({ ...entry, result: "" }));
          expect(bare(dry.entries)).toEqual(bare(real.entries));
          const yes =
            dry.trace?.flatMap((traced) => traced.rules.filter(({ answer }) => answer === "yes")) ?? [];
          expect(yes).toHaveLength(real.counters.rules_matched);
          expect(real.counters).toMatchObject({ errors: 0, actions_executed: real.entries.length });
          expect(second.entries).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  },
);

test("the trace tells of every condition what it found, and of rules that were not reached", async () => {
  await using fake = await startFakeQbittorrent({
    torrents: [{ name: "t", files: [{ path: "a.exe", size: 1 }] }],
  });
  const first = {
    ...rule([...every, { none: [{ field: "files.ext", operator: "==", value: "rar" }] }]),
    name: "first",
    stop_on_match: true,
  };
  const { trace } = await run(
    fake,
    { rules: [first, { ...rule(every), name: "second" }] },
    { job: { trace: true, dryRun: true } },
  );
  expect(trace?.[0]?.rules).toMatchObject([
    {
      rule: "first",
      answer: "yes",
      conditions: {
        condition: "all",
        items: [
          {
            condition: 'info.name starts_with "t"',
            answer: "yes",
            actual: '"t"',
            source: "`torrents/info`, once",
          },
          { condition: "none", answer: "yes", items: [{ answer: "no", actual: '["exe"]' }] },
        ],
      },
    },
    { rule: "second", answer: "not reached" },
  ]);
});

describe("hostile names", () => {
  test("a name in a path stays one name, and a name in a tag one tag", async () => {
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t/../../etc, x" }, { name: ".." }] });
    const move = { type: "set_location", params: { path: "/data/${info.name}" } };
    const tag = { type: "add_tag", params: { tag: "from ${info.name}" } };
    await run(fake, { rules: [rule({}, move, tag)] });
    expect(fake.torrents.map(({ save_path, tags }) => [save_path, tags])).toEqual([
      ["/data/t_.._.._etc, x", "from t/../../etc  x"],
      ["/data/_", "from .."],
    ]);
  });
});

test("a condition that two rules share is asked anew after a change", async () => {
  await using fake = await startFakeQbittorrent({ torrents: [{ name: "t" }] });
  const untagged = [{ field: "info.tags", operator: "is_empty" }];
  const tagging = (tag: string) => ({ ...rule(untagged, { type: "add_tag", params: { tag } }), name: tag });
  await run(fake, { rules: [tagging("first"), tagging("second")] });
  expect(fake.torrents[0]).toMatchObject({ tags: "first" });
});
