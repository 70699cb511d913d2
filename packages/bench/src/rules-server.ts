import { runApp } from "@qbit-sidecars/e2e/run-app";
import {
  freePort,
  type RunningRedis,
  ServerUnavailableError,
  startFakeQbittorrent,
  startRedis,
  tempDir,
} from "@qbit-sidecars/testing";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { median, megabytes, milliseconds, percentile, ratio, type Row } from "./figures.ts";
import { atOnce, posts, storm } from "./rules-server-storm.ts";
import {
  ask,
  asInImage,
  hashOf,
  idle,
  key,
  rules,
  type Running,
  settings,
  torrents,
  withServer,
} from "./rules-server-world.ts";

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

async function onBackend(name: string, env: Record<string, string>): Promise<Row[]> {
  return await withServer({ env }, async (running) => [
    ...(await oneWebhook(name, running)),
    await storm(name, running),
    await drain(name, running),
  ]);
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
