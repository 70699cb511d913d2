import { QbitClient } from "@qbit-sidecars/qbit-client";
import { ClientQbittorrent, type Job, loadRules, type Ruleset, runJob } from "@qbit-sidecars/rules";
import { type FakeQbittorrent, startFakeQbittorrent } from "@qbit-sidecars/testing";
import { hostileRules, infoRules, mixedRules, survivorRules, tagRules } from "./rules-to-measure.ts";
import { median, milliseconds, ratio, type Row } from "./figures.ts";

const torrents = 10_000;
const runs = 5;

type Case = {
  what: string;
  rules: () => object[];
  job?: Job;
  version?: "4.5.2" | "5.3.0";
  latencyMs?: number;
  /** qbt-rules 0.5.0 on 10,000 torrents of a fake of the same kind, in milliseconds; measured once, elsewhere. */
  upstreamMs: number;
  upstreamCalls: number;
  aim: string;
  /** Puts everything back between two runs. */
  reset?: (fake: FakeQbittorrent) => void;
};

const oneHash = (5000).toString(16).padStart(40, "0");

const cases: readonly Case[] = [
  {
    what: "50 rules on info.*",
    rules: () => infoRules(50),
    upstreamMs: 3130,
    upstreamCalls: 1,
    aim: "≤ 0.3 s, 1 call",
  },
  {
    what: "50 rules on info.*, 2 ms latency",
    rules: () => infoRules(50),
    latencyMs: 2,
    upstreamMs: 3130,
    upstreamCalls: 1,
    aim: "≤ 0.3 s, 1 call",
  },
  {
    what: "47 + trackers, files, properties",
    rules: mixedRules,
    upstreamMs: 26_200,
    upstreamCalls: 30_001,
    aim: "≤ 1.5 s, list calls",
  },
  {
    what: "the same with a cheap condition in front, 4.5.2",
    rules: survivorRules,
    version: "4.5.2",
    upstreamMs: 26_200,
    upstreamCalls: 30_001,
    aim: "≤ 1.5 s, survivors only",
  },
  {
    what: "the same, 2 ms latency",
    rules: survivorRules,
    version: "4.5.2",
    latencyMs: 2,
    upstreamMs: 26_200,
    upstreamCalls: 30_001,
    aim: "≤ 1.5 s, survivors only",
  },
  {
    what: "7,145 tag actions",
    rules: tagRules,
    upstreamMs: 19_500,
    upstreamCalls: 21_434,
    aim: "≤ 0.8 s, < 20 calls",
    reset: untag,
  },
  {
    what: "7,145 tag actions, 2 ms latency",
    rules: tagRules,
    latencyMs: 2,
    upstreamMs: 19_500,
    upstreamCalls: 21_434,
    aim: "≤ 0.8 s, < 20 calls",
    reset: untag,
  },
  {
    what: "one hash, 50 rules on info.*",
    rules: () => infoRules(50),
    job: { hash: oneHash },
    upstreamMs: 360,
    upstreamCalls: 1,
    aim: "≤ 15 ms, O(1) calls",
  },
  {
    what: "one hash, with trackers, files, properties",
    rules: mixedRules,
    job: { hash: oneHash },
    upstreamMs: 530,
    upstreamCalls: 4,
    aim: "≤ 15 ms, O(1) calls",
  },
  {
    what: "hostile patterns: (a+)+$ and nine others",
    rules: hostileRules,
    upstreamMs: Infinity,
    upstreamCalls: 1,
    aim: "bounded",
  },
];

/** Whole jobs over 10,000 torrents on the fake, calls counted, beside what the language's first engine was measured at. */
export async function rules(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const version of ["5.3.0", "4.5.2"] as const) {
    await using fake = await startFakeQbittorrent({ version, torrents: library() });
    for (const one of cases) if ((one.version ?? "5.3.0") === version) rows.push(await measure(fake, one));
  }
  return rows;
}

async function measure(fake: FakeQbittorrent, one: Case): Promise<Row> {
  using client = new QbitClient({ url: fake.url, timeoutMs: 120_000 });
  const qbittorrent = new ClientQbittorrent(client);
  const ruleset = load(one.rules());
  await client.capabilities();
  fake.faults.clear();
  if (one.latencyMs !== undefined) fake.faults.set("*", { kind: "latency", ms: one.latencyMs });
  const times: number[] = [];
  let calls = 0;
  for (let run = 0; run < runs; run += 1) {
    one.reset?.(fake);
    fake.calls.clear();
    const startedAt = performance.now();
    await runJob(one.job ?? {}, { ruleset, qbittorrent });
    times.push(performance.now() - startedAt);
    calls = fake.calls.count();
  }
  fake.faults.clear();
  const isBounded = Number.isFinite(one.upstreamMs);
  return {
    figure: `rules, ${torrents} torrents: ${one.what}`,
    value: `${milliseconds(median(times))}, ${calls} calls`,
    baseline: isBounded
      ? `${milliseconds(one.upstreamMs)}, ${one.upstreamCalls} calls: qbt-rules 0.5`
      : "hangs: qbt-rules 0.5",
    ratio: isBounded ? ratio(median(times), one.upstreamMs) : "",
    aim: one.aim,
  };
}

function load(source: object[]): Ruleset {
  const loaded = loadRules(JSON.stringify({ rules: source }));
  if (!loaded.ok) throw new Error(`loading the rules to measure: ${loaded.problems[0]?.message}`);
  return loaded.ruleset;
}

function library() {
  return Array.from({ length: torrents }, (_, at) => ({
    name: `${"a".repeat(at % 40)}.Some.Release.Name.${at}.1080p.WEB.x264-GROUP`,
    hash: at.toString(16).padStart(40, "0"),
    trackers: [`http://tracker${at % 7}.example/announce`],
    files: [
      { path: `release-${at}/film.mkv`, size: 1_000_000 + at },
      { path: `release-${at}/film.nfo`, size: 100 },
    ],
    category: ["movies", "tv", "music", ""][at % 4] ?? "",
    fields: { ratio: at % 7, progress: at % 2 },
  }));
}

function untag(fake: FakeQbittorrent): void {
  for (const { hash } of fake.torrents) if (typeof hash === "string") fake.updateTorrent(hash, { tags: "" });
}
