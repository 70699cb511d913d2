import { type RunningApp, runApp } from "@qbit-sidecars/e2e/run-app";
import {
  type FakeQbittorrent,
  freePort,
  type RunningRedis,
  ServerUnavailableError,
  startFakeQbittorrent,
  startRedis,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median, megabytes, milliseconds, percentile, ratio, type Row } from "./figures.ts";
import type { Load } from "./http-load.ts";
import { infoRules } from "./rules-to-measure.ts";

const torrents = 10_000;
const key = "bench-key";
const rules = [
  ...infoRules(49),
  {
    name: "tag",
    context: "one",
    conditions: [{ field: "info.ratio", operator: ">=", value: 0 }],
    actions: [{ type: "add_tag", params: { tag: "done" } }],
  },
];

/** The rules server as an image would run it, beside a fake qBittorrent in a process's own event loop. */
export async function rulesServer(): Promise<Row[]> {
  const rows: Row[] = [...(await coldStarts())];
  rows.push(...(await onBackend("SQLite", {})));
  await using redis = await redisIfAny();
  if (redis !== undefined)
    rows.push(
      ...(await onBackend("Redis", {
        QBT_RULES_QUEUE_BACKEND: "redis",
        QBT_RULES_QUEUE_REDIS_URL: redis.url,
      })),
    );
  for (const [count, aim] of [
    [10_000, "≤ 120 MB"],
    [50_000, "≤ 250 MB"],
  ] as const)
    rows.push(await memoryAt(count, aim));
  return rows;
}

async function redisIfAny(): Promise<RunningRedis | undefined> {
  try {
    return await startRedis({ appendOnly: true });
  } catch (error) {
    if (!(error instanceof ServerUnavailableError)) throw error;
    console.error(error.message);
    return undefined;
  }
}

/** The image's entry point. */
const asInImage = { nodeArgs: ["--optimize-for-size"], args: ["--serve"] };

type Running = { url: string; app: RunningApp; fake: FakeQbittorrent };

async function withServer<T>(
  { env = {}, count = torrents }: { env?: Record<string, string>; count?: number },
  work: (running: Running) => Promise<T>,
): Promise<T> {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent({ torrents: library(count) });
  await writeFile(join(folder.path, "rules.yml"), JSON.stringify({ rules }));
  const port = await freePort();
  await using app = runApp("rules-server", {
    ...asInImage,
    env: { ...settings(folder.path, port, fake.url), ...env },
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/healthz`)).ok, {
    what: `the server (${app.errors})`,
    timeoutMs: 20_000,
  });
  return await work({ url, app, fake });
}

function settings(folder: string, port: number, qbittorrent: string): Record<string, string> {
  return {
    QBT_RULES_CONFIG_DIR: folder,
    QBT_RULES_QUEUE_SQLITE_PATH: join(folder, "q.db"),
    QBT_RULES_LOG_FILE: "",
    QBT_RULES_SERVER_HOST: "127.0.0.1",
    QBT_RULES_SERVER_PORT: String(port),
    QBT_RULES_SERVER_API_KEY: key,
    QBT_RULES_QBITTORRENT_HOST: qbittorrent,
  };
}

async function onBackend(name: string, env: Record<string, string>): Promise<Row[]> {
  return await withServer({ env }, async (running) => [
    ...(await oneWebhook(name, running)),
    await storm(name, running),
    await drain(name, running),
  ]);
}

function library(count: number): { hash: string; name: string }[] {
  return Array.from({ length: count }, (_, at) => ({
    hash: hashOf(at),
    name: `Some.Release.${at}.1080p.WEB.x264-GROUP`,
  }));
}

const hashOf = (at: number) => at.toString(16).padStart(40, "0");

async function ask(url: string, method = "GET"): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method, headers: { "x-api-key": key } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

const webhooks = 300;

/** From the POST until the server tells that the job is completed. */
async function oneWebhook(name: string, { url, fake }: Running): Promise<Row[]> {
  const ended = new Map<string, (at: number) => void>();
  const early = new Map<string, number>();
  await using _events = await listen(url, (id) => {
    const at = performance.now();
    const tell = ended.get(id);
    if (tell === undefined) early.set(id, at);
    else tell(at);
  });
  const took: number[] = [];
  const bare: number[] = [];
  for (let at = 0; at < webhooks; at += 1) {
    const hash = hashOf(at);
    const bareAt = performance.now();
    await (await fetch(`${fake.url}/api/v2/torrents/info?hashes=${hash}`)).arrayBuffer();
    bare.push(performance.now() - bareAt);
    const startedAt = performance.now();
    const { job_id: id } = await ask(`${url}/api/execute?context=one&hash=${hash}`, "POST");
    const endedAt =
      early.get(String(id)) ?? (await new Promise<number>((resolve) => ended.set(String(id), resolve)));
    took.push(endedAt - startedAt);
  }
  const row = (p: number, aim: string): Row => ({
    figure: `rules-server, ${name}: one webhook, submit to done, ${torrents} torrents, p${p} of ${webhooks}`,
    value: milliseconds(percentile(took, p)),
    baseline: `${milliseconds(percentile(bare, p))} asking qBittorrent once; qbt-rules 0.5: 360–530 ms + 1 s`,
    ratio: ratio(percentile(took, p), percentile(bare, p)),
    aim,
  });
  return [row(50, "≤ 20 ms"), row(99, "≤ 80 ms")];
}

async function listen(url: string, onCompleted: (id: string) => void): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const response = await fetch(`${url}/api/events`, { headers: { "x-api-key": key }, signal: stop.signal });
  const reading = (async () => {
    let rest = "";
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + part).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const [, id] = /^data: \{"job_id":"([^"]+)","status":"completed"\}/.exec(line) ?? [];
        if (id !== undefined) onCompleted(id);
      }
    }
  })().catch(() => {});
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await reading;
    },
  };
}

const posts = 1000;
const atOnce = 100;

const storms = 3;

/** More than are run while the load lasts; those that are left are cancelled. */
const busyRuns = 40;

/** Latency of POSTs while the worker runs 50 rules over the library, one run after the other. */
async function storm(name: string, { url }: Running): Promise<Row> {
  await using plain = await plainServer();
  const targets = {
    plain: ["GET", () => plain.url],
    health: ["GET", () => `${url}/healthz`],
    post: ["POST", (at: number, nth: number) => `${url}/api/execute?context=storm-${nth}&hash=${hashOf(at)}`],
  } as const;
  const took = { plain: [], health: [], post: [] } as Record<keyof typeof targets, number[]>;
  for (let nth = 0; nth < storms; nth += 1)
    for (const target of ["plain", "health", "post"] as const) {
      const [method, urlOf] = targets[target];
      const times = await loadWhileBusy(url, { method, urlOf: (at) => urlOf(at, nth) });
      took[target].push(percentile(times, 99));
    }
  const [post, plainest, health] = [median(took.post), median(took.plain), median(took.health)];
  return {
    figure: `rules-server, ${name}: ${posts} POSTs, ${atOnce} at once, worker busy, p99, median of ${storms}`,
    value: milliseconds(post),
    baseline: `${milliseconds(plainest)} a bare node:http server meanwhile, ${milliseconds(health)} /healthz; qbt-rules 0.5: 1763 ms`,
    ratio: ratio(post, plainest),
    aim: "≤ 50 ms",
  };
}

async function plainServer(): Promise<{ url: string } & AsyncDisposable> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("plain-server.ts", import.meta.url))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  return {
    url: `http://127.0.0.1:${Number(port)}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "exit");
    },
  };
}

type Asking = { readonly method: Load["method"]; readonly urlOf: (at: number) => string };

/**
 * How long each answer took, while the worker has runs to do from before the first request until after the last. Asks
 * from a process of its own: here stands the fake qBittorrent, which is busy with its list meanwhile.
 */
async function loadWhileBusy(url: string, { method, urlOf }: Asking): Promise<number[]> {
  const program = fileURLToPath(new URL("http-load.ts", import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const runs: string[] = [];
  for (let nth = 0; nth < busyRuns; nth += 1) {
    const { job_id: id } = await ask(`${url}/api/execute?context=busy-${nth}`, "POST");
    runs.push(String(id));
  }
  const urls = Array.from({ length: posts }, (_, at) => urlOf(at));
  child.stdin.end(JSON.stringify({ method, urls, headers: { "x-api-key": key }, atOnce } satisfies Load));
  const { value: printed } = await lines.next();
  const took: unknown = JSON.parse(String(printed));
  if (!Array.isArray(took)) throw new TypeError(`${program} printed no list`);
  const { status } = await ask(`${url}/api/jobs/${runs.at(-1)}`);
  if (status !== "pending") throw new Error("the worker had nothing left to do before the load was over");
  for (const id of runs)
    await fetch(`${url}/api/jobs/${id}`, { method: "DELETE", headers: { "x-api-key": key } });
  await idle(url);
  return took.map(Number);
}

/** How long each of them took, a hundred at a time. */
async function inParallel(work: (at: number) => Promise<void>): Promise<number[]> {
  const took: number[] = [];
  let next = 0;
  const line = async () => {
    while (next < posts) {
      const at = next;
      next += 1;
      const startedAt = performance.now();
      await work(at);
      took.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, line));
  return took;
}

async function idle(url: string): Promise<void> {
  await waitFor(
    async () => {
      const { queue } = await ask(`${url}/api/health`);
      const { pending_jobs: pending, processing_jobs: processing } = queue as Record<string, number>;
      return pending === 0 && processing === 0;
    },
    { what: "the queue to be empty", timeoutMs: 120_000 },
  );
}

/** One-hash jobs that wait behind a slow one: from the start of the first to the end of the last. */
async function drain(name: string, { url, fake }: Running): Promise<Row> {
  const bareAt = performance.now();
  for (let at = 0; at < 200; at += 1)
    await (await fetch(`${fake.url}/api/v2/torrents/info?hashes=${hashOf(at)}`)).arrayBuffer();
  const bareRate = 200 / ((performance.now() - bareAt) / 1000);
  fake.faults.next("torrents/info", { kind: "latency", ms: 6000 });
  await ask(`${url}/api/execute?context=block`, "POST");
  const offset = 3000;
  const ids: string[] = [];
  await inParallel(async (at) => {
    const { job_id: id } = await ask(`${url}/api/execute?context=one&hash=${hashOf(offset + at)}`, "POST");
    ids.push(String(id));
  });
  await idle(url);
  const done: Record<string, unknown>[] = [];
  await inParallel(async (at) => void done.push(await ask(`${url}/api/jobs/${ids[at]}`)));
  const starts = done.map(({ started_at: at }) => Date.parse(String(at)));
  const ends = done.map(({ completed_at: at }) => Date.parse(String(at)));
  const rate = posts / (Math.max(1, Math.max(...ends) - Math.min(...starts)) / 1000);
  return {
    figure: `rules-server, ${name}: one-hash jobs done, ${posts} waiting`,
    value: `${Math.round(rate)} jobs/s`,
    baseline: `${Math.round(bareRate)}/s asking qBittorrent for one after the other; qbt-rules 0.5: 4.4 jobs/s`,
    ratio: ratio(rate, bareRate),
    aim: "≥ 1000 jobs/s",
  };
}

const starts = 9;

async function coldStarts(): Promise<Row[]> {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent({ torrents: 10 });
  await writeFile(join(folder.path, "rules.yml"), JSON.stringify({ rules }));
  const took: number[] = [];
  const bare: number[] = [];
  for (let at = 0; at < starts; at += 1) {
    const port = await freePort();
    const startedAt = performance.now();
    const app = runApp("rules-server", { ...asInImage, env: settings(folder.path, port, fake.url) });
    const isUp = async () =>
      await fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      );
    while (!(await isUp())) await new Promise((resolve) => setTimeout(resolve, 2));
    took.push(performance.now() - startedAt);
    await app[Symbol.asyncDispose]();
    const bareAt = performance.now();
    await promisify(execFile)(process.execPath, ["-e", ""]);
    bare.push(performance.now() - bareAt);
  }
  return [
    {
      figure: `rules-server: cold start to the first answer, median of ${starts}`,
      value: milliseconds(median(took)),
      baseline: `${milliseconds(median(bare))} bare node, start to end`,
      ratio: ratio(median(took), median(bare)),
      aim: "≤ 400 ms",
    },
  ];
}

/** Peak of a server that has run its rules over the whole library three times. Linux only. */
async function memoryAt(count: number, aim: string): Promise<Row> {
  const peak = await withServer({ count }, async ({ url, app }) => {
    for (let at = 0; at < 3; at += 1) {
      await ask(`${url}/api/execute?context=run-${at}`, "POST");
      await idle(url);
    }
    return await peakOf(app.pid);
  });
  const { stdout } = await promisify(execFile)(process.execPath, [
    "-e",
    "console.log(process.resourceUsage().maxRSS)",
  ]);
  const bare = Number(stdout) * 1024;
  return {
    figure: `rules-server: peak RSS, 50 rules over ${count} torrents, three runs`,
    value: megabytes(peak),
    baseline: `${megabytes(bare)} bare node; qbt-rules 0.5: 2 × 115 MB at 10,000`,
    ratio: ratio(peak, bare),
    aim,
  };
}

async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB/mu.exec(status)?.[1]) * 1024;
}
