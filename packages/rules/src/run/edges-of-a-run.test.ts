import { QbitClient } from "@qbit-sidecars/qbit-client";
import { type FakeQbittorrent, startFakeQbittorrent, tempDir } from "@qbit-sidecars/testing";
import { createServer } from "node:http";
import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { rule, rulesOf } from "../rules-under-test.ts";
import { ClientQbittorrent } from "./client-qbittorrent.ts";
import { nodeOutside } from "./node-outside.ts";
import { type Job, type JobOptions, runJob } from "./run-job.ts";

const every = [{ field: "info.name", operator: "starts_with", value: "t" }];

async function run(
  fake: FakeQbittorrent,
  rules: object[],
  { signal, ...job }: Job & Pick<JobOptions, "signal"> = {},
) {
  using client = new QbitClient({ url: fake.url });
  return await runJob(job, {
    ruleset: rulesOf({ rules }),
    qbittorrent: new ClientQbittorrent(client),
    ...(signal !== undefined && { signal }),
  });
}

function torrents(count: number) {
  return Array.from({ length: count }, (_, at) => ({
    name: `t${at}`,
    hash: at.toString(16).padStart(40, "0"),
    files: [{ path: `t${at}.mkv`, size: 10 }],
    trackers: at % 2 === 0 ? ["http://a.example/x"] : [],
  }));
}

test.each(["4.2.5", "4.5.2", "5.1.0", "5.3.0"] as const)(
  "on %s every source can be read, of few torrents and of many",
  { timeout: 60_000 },
  async (version) => {
    for (const count of [2, 30]) {
      await using fake = await startFakeQbittorrent({ version, torrents: torrents(count) });
      const conditions = [
        { field: "files.ext", operator: "==", value: "mkv" },
        { field: "trackers.host", operator: "==", value: "a.example" },
        { field: "trackers.url", operator: "contains", value: "a.example" },
        { field: "trackers.tier", operator: ">=", value: 0 },
        { field: "properties.piece_size", operator: ">", value: 0 },
        { field: "properties.time_elapsed", operator: ">=", value: 0 },
        { field: "peers.ip", operator: "is_empty" },
        { field: "webseeds.url", operator: "is_empty" },
        { field: "transfer.connection_status", operator: "exists" },
        { field: "app.save_path", operator: "exists" },
        { field: "disk.free", operator: ">", value: 0 },
        { field: "time.weekday", operator: "exists" },
      ];
      const { counters, failed } = await run(fake, [rule(conditions)]);
      expect([counters.rules_matched, failed]).toEqual([count / 2, []]);
    }
  },
);

test.each(["4.2.5", "4.5.2", "5.1.0", "5.3.0"] as const)(
  "on %s a rule on tracker URLs alone finds them, and says which torrents have none",
  async (version) => {
    await using fake = await startFakeQbittorrent({ version, torrents: torrents(30) });
    const url = (operator: string) => rule([{ field: "trackers.url", operator, value: "a.example" }]);
    const rules = [url("contains"), { ...url("not_contains"), name: "another" }];
    expect((await run(fake, rules)).matches).toEqual({ "a rule": 15, another: 15 });
  },
);

test("a torrent that is not among those of any tracker yet is not taken for one without", async () => {
  await using fake = await startFakeQbittorrent({ version: "4.5.2", torrents: torrents(30) });
  using client = new QbitClient({ url: fake.url });
  const qbittorrent = new ClientQbittorrent(client);
  const first = "0".repeat(40);
  const late = new Proxy(qbittorrent, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (key !== "trackerUrls") return typeof member === "function" ? member.bind(target) : member;
      return async () =>
        new Map(
          [...(await target.trackerUrls())].map(([url, hashes]) => [
            url,
            hashes.filter((hash) => hash !== first),
          ]),
        );
    },
  });
  const condition = { field: "trackers.url", operator: "not_contains", value: "a.example" };
  const { matches } = await runJob(
    {},
    { ruleset: rulesOf({ rules: [rule([condition])] }), qbittorrent: late, outside: nodeOutside },
  );
  expect(matches).toEqual({ "a rule": 15 });
  expect(fake.calls.count("torrents/trackers")).toBe(1);
});

test("properties cost a call for each torrent that cheaper conditions leave open, and no more", async () => {
  await using fake = await startFakeQbittorrent({ version: "4.5.2", torrents: torrents(40) });
  const conditions = [
    { field: "properties.seeds", operator: ">=", value: 0 },
    { field: "trackers.host", operator: "==", value: "a.example" },
    { field: "info.name", operator: "matches", value: "^t[0-9]$" },
  ];
  await run(fake, [rule(conditions)]);
  const counts = ["torrents/info", "sync/maindata", "torrents/trackers", "torrents/properties"].map((name) =>
    fake.calls.count(name),
  );
  // Ten have such a name, which are few enough to be asked one by one; five of them have the tracker.
  expect(counts).toEqual([1, 0, 10, 5]);
});

test("a job about one torrent that asks who shares its data lists all, once", async () => {
  const shared = { savePath: "/d", files: [{ path: "film/a.mkv", size: 1 }] };
  await using fake = await startFakeQbittorrent({
    torrents: torrents(3).map((torrent) => ({ ...torrent, ...shared })),
  });
  const hash = "0".repeat(40);
  const conditions = [{ field: "info.cross_seeds", operator: "==", value: 2 }];
  const { counters } = await run(fake, [rule(conditions)], { hash });
  expect([counters.rules_matched, fake.calls.count("torrents/info")]).toEqual([1, 2]);
});

test("torrents that are gone when their trackers are listed are left out", async () => {
  await using fake = await startFakeQbittorrent({ torrents: torrents(30) });
  fake.faults.next("torrents/info", { kind: "latency", ms: 0 });
  fake.faults.next("torrents/info", {
    kind: "answer",
    status: 200,
    body: "[]",
    headers: { "content-type": "application/json" },
  });
  const { counters } = await run(fake, [
    rule([{ field: "trackers.status", operator: "==", value: 4, match: "none" }]),
  ]);
  expect(counters).toMatchObject({ total_torrents: 30, torrents_evaluated: 0, rules_matched: 0 });
});

test("where nobody tells where data is, if_unshared keeps it", async () => {
  await using fake = await startFakeQbittorrent({ version: "4.2.5", torrents: [{ name: "t" }] });
  const remove = { type: "delete_torrent", params: { delete_files: "if_unshared" } };
  const { entries } = await run(fake, [rule(every, remove)]);
  expect(entries[0]?.after).toBe("deleted, data kept: nobody knows who uses its data");
  expect(fake.calls.list("torrents/delete").map(({ params }) => params["deleteFiles"])).toEqual(["false"]);
});

test("a list that breaks off for good changes nothing", async () => {
  await using fake = await startFakeQbittorrent({ torrents: torrents(500) });
  fake.faults.set("torrents/info", { kind: "truncated" });
  await expect(run(fake, [rule(every, { type: "delete_torrent" })])).rejects.toThrow("cut off");
  expect(fake.calls.list().every(({ method }) => method === "GET")).toBe(true);
});

test("a list that breaks off once is read anew, and nothing counts twice", async () => {
  await using fake = await startFakeQbittorrent({ torrents: torrents(500) });
  fake.faults.next("torrents/info", { kind: "truncated" });
  const { counters } = await run(fake, [rule(every, { type: "stop" })]);
  expect(counters).toMatchObject({ total_torrents: 500, rules_matched: 500, actions_executed: 500 });
});

test("the export action saves torrent files, and tells which it could not have", async () => {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent({
    torrents: [...torrents(1), { name: "t-magnet", isMagnet: true }],
  });
  const { counters } = await run(fake, [rule(every, { type: "export", params: { folder: folder.path } })]);
  expect([counters.actions_executed, counters.errors]).toEqual([1, 1]);
  expect(await readdir(folder.path)).toEqual([`${"0".repeat(40)}.torrent`]);
});

test("a run that is stopped makes no more changes", { timeout: 30_000 }, async () => {
  await using fake = await startFakeQbittorrent({ torrents: torrents(3) });
  const stopping = new AbortController();
  fake.faults.set("torrents/stop", { kind: "hang" });
  const actions = [{ type: "stop" }, { type: "recheck" }];
  const running = run(fake, [rule(every, ...actions)], { signal: stopping.signal });
  const stop = async () => {
    await expect.poll(() => fake.calls.count("torrents/stop"), { timeout: 10_000 }).toBe(1);
    stopping.abort(new Error("stopping"));
  };
  await Promise.all([expect(running).rejects.toThrow("stopping"), stop()]);
  expect(fake.calls.count("torrents/recheck")).toBe(0);
});

describe("what is sent outside", () => {
  async function server(body: string) {
    const http = createServer((_, response) => response.end(body));
    await new Promise<void>((resolve) => void http.listen(0, "127.0.0.1", resolve));
    const address = http.address();
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
    return { url, [Symbol.dispose]: () => void http.close() };
  }

  test("an answer without end is not read to its end", async () => {
    using endless = await server("x".repeat(9 * 1024 * 1024));
    await expect(nodeOutside.send({ method: "GET", url: endless.url })).rejects.toThrow("too long");
  });

  test("what is stopped is not sent", async () => {
    using good = await server("ok");
    await expect(nodeOutside.send({ method: "GET", url: good.url })).resolves.toEqual({
      status: 200,
      body: "ok",
    });
    await expect(nodeOutside.send({ method: "GET", url: good.url }, AbortSignal.abort())).rejects.toThrow(
      "abort",
    );
  });

  test("https is spoken where the URL says so", async () => {
    using plain = await server("ok");
    await expect(
      nodeOutside.send({ method: "GET", url: plain.url.replace("http:", "https:") }),
    ).rejects.toThrow(/SSL|TLS|EPROTO/i);
  });
});

test.each([
  ["add", 1],
  ["sync", 3],
] as const)(
  "what add_tag in mode %s needs is fetched of %d of three torrents, one of which the rule matches",
  async (mode, calls) => {
    await using fake = await startFakeQbittorrent({ torrents: torrents(3) });
    const conditions = [{ field: "info.name", operator: "==", value: "t1" }];
    const { matches } = await run(fake, [
      rule(conditions, { type: "add_tag", params: { mode, tags: ["${files.count}"] } }),
    ]);
    expect(matches).toEqual({ "a rule": 1 });
    expect(fake.calls.count("torrents/files")).toBe(calls);
  },
);
