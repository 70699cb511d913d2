import { QbitClient } from "@qbit-sidecars/qbit-client";
import { type FakeQbittorrent, startFakeQbittorrent } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { problemsOf, rule, rulesOf, subjectOf, ask } from "./rules-under-test.ts";
import { ClientQbittorrent } from "./run/client-qbittorrent.ts";
import { type Job, runJob } from "./run/run-job.ts";

/** The ways in which rules in this language have done what their writers did not mean. */

async function run(fake: FakeQbittorrent, rules: object, job: Job = {}) {
  using client = new QbitClient({ url: fake.url });
  return await runJob(job, { ruleset: rulesOf(rules), qbittorrent: new ClientQbittorrent(client) });
}

const always = [{ field: "info.name", operator: "starts_with", value: "t" }];
const old = { field: "info.added_on", operator: "older_than" };
const remove = { type: "delete_torrent" };

test("1: a context among the conditions is a context", () => {
  const ruleset = rulesOf({ rules: [rule({ context: "added", all: always })] });
  expect(ruleset.rules[0]?.contexts).toEqual(["added"]);
  expect(rulesOf({ rules: [rule({ trigger: ["a", "b"], all: always })] }).rules[0]?.contexts).toEqual([
    "a",
    "b",
  ]);
  const twice = { ...rule({ context: "a", all: always }), context: "b" };
  expect(problemsOf({ rules: [twice] }).join()).toContain("given twice");
  expect(problemsOf({ rules: [{ ...twice, context: "a" }] })).toEqual([]);
});

test("2: the param tag is applied", async () => {
  await using fake = await startFakeQbittorrent({ torrents: [{ name: "t" }] });
  await run(fake, { rules: [rule(always, { type: "add_tag", params: { tag: "hd" } })] });
  expect(fake.torrents[0]).toMatchObject({ tags: "hd" });
});

test.each([
  [undefined, "false"],
  [{ delete_files: false }, "false"],
  [{ keep_files: true }, "false"],
  [{ keep_files: false }, "true"],
  [{ delete_files: true }, "true"],
  [{ delete_files: false, keep_files: true }, "false"],
])("3: deleting with %j is deleting with deleteFiles=%s", async (params, deleteFiles) => {
  await using fake = await startFakeQbittorrent({ torrents: [{ name: "t" }] });
  await run(fake, { rules: [rule(always, { ...remove, params })] });
  expect(fake.calls.list("torrents/delete").map((call) => call.params["deleteFiles"])).toEqual([deleteFiles]);
});

test("3: contradicting words about the files are refused", () => {
  const both = { ...remove, params: { delete_files: true, keep_files: true } };
  expect(problemsOf({ rules: [rule(always, both)] }).join()).toContain("contradict each other");
});

test("4: a dry run sends nothing that changes anything", async () => {
  await using fake = await startFakeQbittorrent({ torrents: [{ name: "t" }] });
  const { entries, counters } = await run(
    fake,
    { rules: [rule(always, { type: "stop" }, remove)] },
    { dryRun: true },
  );
  expect(fake.calls.list().every(({ method }) => method === "GET")).toBe(true);
  expect(entries.map(({ action, result }) => [action, result])).toEqual([
    ["stop", "planned"],
    ["delete_torrent", "planned"],
  ]);
  expect(counters).toMatchObject({ actions_executed: 0, actions_skipped: 2, dry_run: true });
});

describe("5: durations and sizes mean what they say", () => {
  test.each(["7d", "7 days", "1.5 weeks", 604_800])("%j spares what is five days old", (value) => {
    expect(ask([{ ...old, value }], subjectOf({ added_on: subjectOf().world.now / 1000 - 5 * 86_400 }))).toBe(
      0,
    );
  });
  test.each(["", "soon", "7 dys", null])("%j is no duration", (value) => {
    expect(problemsOf({ rules: [rule([{ ...old, value }])] }).join()).toContain("no duration");
  });
  test("abc is no size", () => {
    const condition = { field: "info.size", operator: "larger_than", value: "abc" };
    expect(problemsOf({ rules: [rule([condition])] }).join()).toContain("no size");
  });
});

describe("6: a rule that would delete everything is refused", () => {
  test.each([
    {},
    { all: [] },
    [],
    { none: [] },
    { all: [{ none: [{ any: [] }] }] },
    { any: [{ all: [] }, ...always] },
    [{ field: "info.name", operator: "matches", value: ".*" }],
    [{ field: "info.name", operator: "matches", value: "x*" }],
    [{ field: "info.name", operator: "contains", value: "" }],
    [{ field: "info.category", operator: "not_in", value: [] }],
    [{ field: "info.size", operator: ">=", value: 0 }],
    [{ field: "info.ratio", operator: ">=", value: 0 }],
    [{ field: "info.progress", operator: ">", value: -1 }],
  ])("with the conditions %j", (conditions) => {
    expect(problemsOf({ rules: [rule(conditions, remove)] }).join()).toContain("hold for every torrent");
    expect(problemsOf({ rules: [rule(conditions, { type: "stop" })] }).join()).not.toContain(
      "hold for every torrent",
    );
  });
  test("with a typo in a group's word", () => {
    expect(problemsOf({ rules: [rule({ alll: always }, remove)] }).join()).toContain("did you mean all");
  });
  test("unless it says so", () => {
    expect(problemsOf({ rules: [rule({ match_all: true }, remove)] })).toEqual([]);
  });
  test("a null group is refused, an empty any never holds", () => {
    expect(problemsOf({ rules: [rule({ all: null })] }).join()).toContain("is empty");
    expect(ask({ any: [] }, subjectOf())).toBe(0);
    expect(rulesOf({ rules: [rule({ any: [] })] }).warnings.map(({ message }) => message)).toEqual([
      "any: [] never holds",
    ]);
  });
});

test("7: all trackers dead can be said, and one dead among working ones is not it", () => {
  const dead = [{ field: "trackers.status", operator: "==", value: 4, match: "all" }];
  const subject = subjectOf();
  subject.setPart("trackers", [
    { url: "http://a", status: 4, msg: "" },
    { url: "http://b", status: 2, msg: "" },
  ]);
  expect(ask(dead, subject)).toBe(0);
  expect(ask([{ field: "info.tracker_down", operator: "==", value: true }], subject)).toBe(0);
  subject.setPart("trackers", [{ url: "http://a", status: 4, msg: "" }]);
  expect(ask(dead, subject)).toBe(1);
});

for (const version of ["4.2.5", "4.5.2", "5.3.0"] as const) {
  test(`8: on ${version} udp and wss trackers are seen, DHT is not`, async () => {
    const torrents = Array.from({ length: 30 }, (_, at) => ({
      name: `t${at}`,
      trackers: ["udp://a.example:1/announce", "wss://b.example/x"],
    }));
    await using fake = await startFakeQbittorrent({ version, torrents });
    const host = (value: string) => [{ field: "trackers.host", operator: "==", value }];
    const rules = [
      { ...rule(host("a.example"), { type: "add_tag", params: { tag: "udp" } }), name: "a" },
      { ...rule(host("b.example"), { type: "add_tag", params: { tag: "wss" } }), name: "b" },
      {
        ...rule([{ field: "trackers.url", operator: "contains", value: "DHT" }], {
          type: "add_tag",
          params: { tag: "dht" },
        }),
        name: "c",
      },
    ];
    await run(fake, { rules });
    expect(new Set(fake.torrents.map(({ tags }) => tags))).toEqual(new Set(["udp, wss"]));
  });

  test(`9: on ${version} start starts what is stopped, stop stops what runs, and both once`, async () => {
    await using fake = await startFakeQbittorrent({
      version,
      torrents: [{ name: "t-off", stopped: true }, { name: "t-on" }],
    });
    const start = {
      rules: [rule([{ field: "info.name", operator: "==", value: "t-off" }], { type: "resume" })],
    };
    const stop = {
      rules: [rule([{ field: "info.name", operator: "==", value: "t-on" }], { type: "pause" })],
    };
    for (const rules of [start, stop]) {
      expect((await run(fake, rules)).counters).toMatchObject({ actions_executed: 1, errors: 0 });
      expect((await run(fake, rules)).counters).toMatchObject({ actions_executed: 0, actions_skipped: 1 });
    }
    expect(fake.torrents.map(({ state }) => /^"(paused|stopped)/.test(JSON.stringify(state)))).toEqual([
      false,
      true,
    ]);
  });
}

test("11: nonsense is not approved", () => {
  const nonsense = {
    name: "nonsense",
    conditions: [
      { field: "info.colour", operator: "resembles", value: "(" },
      { field: "info.name", operator: "matches", value: "(" },
    ],
    actions: [{ type: "explode" }],
  };
  expect(problemsOf({ rules: [nonsense] })).toHaveLength(4);
});

test("12: a magnet whose files are not known passes no security rule, and the run says who to come back for", async () => {
  await using fake = await startFakeQbittorrent({
    torrents: [
      { name: "magnet", isMagnet: true },
      { name: "t", files: [{ path: "t/film.mkv", size: 10 }] },
    ],
  });
  const clean = { none: [{ field: "files.ext", operator: "in", value: ["exe", "rar"] }] };
  const { notReady } = await run(fake, {
    rules: [rule(clean, { type: "add_tag", params: { tag: "clean" } })],
  });
  expect(fake.torrents.map(({ tags }) => tags)).toEqual(["", "clean"]);
  expect(notReady).toMatchObject([{ name: "magnet", reasons: ["it has no metadata yet"] }]);
});

test("12: so is a torrent that qBittorrent does not list yet", async () => {
  await using fake = await startFakeQbittorrent();
  const hash = "a".repeat(40);
  const { notReady, counters } = await run(fake, { rules: [rule(always)] }, { hash });
  expect(notReady).toEqual([{ hash, reasons: ["qBittorrent does not know it (yet)"] }]);
  expect(counters).toMatchObject({ total_torrents: 0 });
});

test("13: variables can be written without the dollar sign that Compose would eat", () => {
  const condition = { field: "info.ratio", operator: ">=", value: "{{ vars.ratio }}" };
  const ruleset = rulesOf({ refs: { vars: { ratio: 2 } }, rules: [rule([condition])] });
  expect(JSON.stringify(ruleset.rules[0]?.condition)).toContain("info.ratio >= 2");
});

test("a rule that this qBittorrent is too old for is left out, and the run says so", async () => {
  await using fake = await startFakeQbittorrent({ version: "4.5.2", torrents: [{ name: "t" }] });
  const conditions = { none: [{ field: "info.private", operator: "==", value: true }] };
  const { unsupported, counters } = await run(fake, { rules: [rule(conditions, remove)] });
  expect(unsupported).toEqual([
    { rule: "a rule", reason: "the field info.private needs Web API 2.11.2; this qBittorrent has 2.8.19" },
  ]);
  expect(counters).toMatchObject({ rules_matched: 0 });
});
