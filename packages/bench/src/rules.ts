import { QbitClient } from "@qbit-sidecars/qbit-client";
import { ClientQbittorrent, type Job, loadRules, type Ruleset, runJob } from "@qbit-sidecars/rules";
import { type FakeQbittorrent, startFakeQbittorrent } from "@qbit-sidecars/testing";
import { type PlainRule, runNaively } from "./naive-rules.ts";
import { hostileRules, infoRules, mixedRules, survivorRules, tagRules } from "./rules-to-measure.ts";
import { median, milliseconds, type Row } from "./figures.ts";

const torrents = 10_000;
const runs = 5;
/** On so many torrents the plain way is gone where it needs a call for each. */
const plainSample = 500;

type Case = {
  what: string;
  rules: () => PlainRule[];
  job?: Job;
  version?: "4.5.2" | "5.3.0";
  latencyMs?: number;
  /** What qbt-rules 0.5.0 took for 10,000 torrents of a fake of the same kind, on another machine. */
  published: string;
  /** Whether the plain way is gone for all torrents, or for some and multiplied. */
  plain: "for all" | "for some" | "hangs";
  aim: string;
  /** Puts everything back between two runs. */
  reset?: (fake: FakeQbittorrent) => void;
};

const oneHash = (5000).toString(16).padStart(40, "0");

const cases: readonly Case[] = [
  {
    what: "50 rules on info.*",
    rules: () => infoRules(50),
    published: "3.13 s, 1 call",
    plain: "for all",
    aim: "≤ 0.3 s, 1 call",
  },
  {
    what: "50 rules on info.*, 2 ms latency",
    rules: () => infoRules(50),
    latencyMs: 2,
    published: "3.13 s, 1 call",
    plain: "for all",
    aim: "≤ 0.3 s, 1 call",
  },
  {
    what: "47 + trackers, files, properties",
    rules: mixedRules,
    published: "26.2 s, 30,001 calls",
    plain: "for some",
    aim: "≤ 1.5 s, list calls",
  },
  {
    what: "the same with a cheap condition in front, 4.5.2",
    rules: survivorRules,
    version: "4.5.2",
    published: "26.2 s, 30,001 calls",
    plain: "for all",
    aim: "≤ 1.5 s, survivors only",
  },
  {
    what: "the same, 2 ms latency",
    rules: survivorRules,
    version: "4.5.2",
    latencyMs: 2,
    published: "26.2 s, 30,001 calls",
    plain: "for all",
    aim: "≤ 1.5 s, survivors only",
  },
  {
    what: "7,145 tag actions",
    rules: tagRules,
    published: "19.5 s, 21,434 calls",
    plain: "for some",
    aim: "≤ 0.8 s, < 20 calls",
    reset: untag,
  },
  {
    what: "7,145 tag actions, 2 ms latency",
    rules: tagRules,
    latencyMs: 2,
    published: "19.5 s, 21,434 calls",
    plain: "for some",
    aim: "≤ 0.8 s, < 20 calls",
    reset: untag,
  },
  {
    what: "one hash, 50 rules on info.*",
    rules: () => infoRules(50),
    job: { hash: oneHash },
    published: "0.36 s, 1 call",
    plain: "for all",
    aim: "≤ 15 ms, O(1) calls",
  },
  {
    what: "one hash, with trackers, files, properties",
    rules: mixedRules,
    job: { hash: oneHash },
    published: "0.53 s, 4 calls",
    plain: "for all",
    aim: "≤ 15 ms, O(1) calls",
  },
  {
    what: "hostile patterns: (a+)+$ and nine others",
    rules: hostileRules,
    published: "hangs",
    plain: "hangs",
    aim: "bounded",
  },
];

/** Whole jobs over 10,000 torrents on the fake, calls counted, beside the same rules in the plain way. */
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
    times.push(await timed(async () => void (await runJob(one.job ?? {}, { ruleset, qbittorrent }))));
    calls = fake.calls.count();
  }
  one.reset?.(fake);
  const plain = one.plain === "hangs" ? undefined : await plainly(fake, client, one);
  fake.faults.clear();
  return {
    figure: `rules, ${torrents} torrents: ${one.what}`,
    value: `${milliseconds(median(times))}, ${calls} calls`,
    baseline: plain === undefined ? "" : `${milliseconds(plain.ms)}, ${plain.calls} calls, the plain way`,
    ratio: plain === undefined ? "" : `${(plain.ms / median(times)).toFixed(0)}× as fast`,
    aim: `${one.aim} (qbt-rules 0.5, measured elsewhere: ${one.published})`,
  };
}

/** The same rules without any of what makes ours fast; calls for each torrent are made for some, and counted for all. */
async function plainly(
  fake: FakeQbittorrent,
  client: QbitClient,
  one: Case,
): Promise<{ ms: number; calls: number }> {
  const hash = one.job?.hash;
  const listing = await timed(async () => void (await client.torrents.info()));
  const sample = one.plain === "for some" && hash === undefined ? plainSample : torrents;
  fake.calls.clear();
  const ms = await timed(async () => await runNaively(client, one.rules(), { hash, sample }));
  const times = torrents / sample;
  return { ms: listing + (ms - listing) * times, calls: 1 + Math.round((fake.calls.count() - 1) * times) };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function load(source: readonly PlainRule[]): Ruleset {
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
