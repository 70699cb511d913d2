import { type JobQueue, openQueue } from "@qbit-sidecars/jobs";
import { startRedis, tempDir } from "@qbit-sidecars/testing";
import { Queue, Worker } from "bullmq";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { median, milliseconds, percentile, ratio, type Row } from "./figures.ts";

const jobs = 1_000;
const atOnce = 100;
const runs = 3;

/** The queue by itself: what asking and draining cost beside the plainest thing on the same store. */
export async function jobQueue(): Promise<Row[]> {
  await using dir = await tempDir("bench-jobs-");
  await using redis = await startRedis({ appendOnly: true });
  await using sqlite = await openQueue({ backend: "sqlite", path: join(dir.path, "queue.db") });
  await using shared = await openQueue({ backend: "redis", url: redis.url });
  const raw = rawDatabase(join(dir.path, "raw.db"));
  await using bull = rawBull(redis.url);
  const cases = [
    { name: "SQLite", queue: sqlite, plain: raw.insert, drain: raw.drain, what: "one commit each" },
    { name: "Redis", queue: shared, plain: bull.add, drain: bull.drain, what: "BullMQ alone" },
  ];
  const rows: Row[] = [];
  for (const { name, queue, plain, drain, what } of cases) {
    const figures = await repeat(async () => ({
      ask: await askAll((n) => queue.enqueue({ context: "on_added", hash: hashOf(n) })),
      drained: await perSecond(() => drainQueue(queue)),
      plain: await askAll(plain),
      plainDrained: await perSecond(drain),
    }));
    const of = (pick: (figure: (typeof figures)[number]) => number) => median(figures.map(pick));
    const [p99, plain99] = [of(({ ask }) => percentile(ask, 99)), of((each) => percentile(each.plain, 99))];
    const [drained, plainDrained] = [of((each) => each.drained), of((each) => each.plainDrained)];
    rows.push(
      {
        figure: `jobs, ${name}: ${jobs} asked for, ${atOnce} at once: p99`,
        value: milliseconds(p99),
        baseline: `${milliseconds(plain99)} (${what})`,
        ratio: ratio(p99, plain99),
        aim: "≤ 50 ms",
      },
      {
        figure: `jobs, ${name}: ${jobs} one-hash jobs drained`,
        value: `${Math.round(drained)} jobs/s`,
        baseline: `${Math.round(plainDrained)} jobs/s (${what})`,
        ratio: ratio(drained, plainDrained),
        aim: "≥ 1,000 jobs/s",
      },
    );
  }
  raw.close();
  return [...rows, await groupCommit(sqlite)];
}

/** 100 at the same time against 100 that wait for each other. */
async function groupCommit(queue: JobQueue): Promise<Row> {
  const ask = async (context: string, n: number) => await queue.enqueue({ context, hash: hashOf(n) });
  const figures = await repeat(async (run) => {
    const together = await elapsed(() => Promise.all(numbers(atOnce).map((n) => ask(`together ${run}`, n))));
    const apart = await elapsed(async () => {
      for (const n of numbers(atOnce)) await ask(`apart ${run}`, n);
    });
    return { together, apart };
  });
  const [together, apart] = [median(figures.map((f) => f.together)), median(figures.map((f) => f.apart))];
  return {
    figure: `jobs, SQLite: ${atOnce} asked for in one turn`,
    value: milliseconds(together),
    baseline: `${milliseconds(apart)} (one after another)`,
    ratio: ratio(together, apart),
    aim: "one commit",
  };
}

function rawDatabase(path: string) {
  const db = new DatabaseSync(path);
  db.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE jobs (id TEXT PRIMARY KEY, done INTEGER)",
  );
  const insert = db.prepare("INSERT INTO jobs VALUES (?, 0)");
  const update = db.prepare("UPDATE jobs SET done = 1 WHERE id = ?");
  let last = 0;
  const asked: string[] = [];
  return {
    insert: async (n: number) => {
      const id = `${n}-${(last += 1)}`;
      asked.push(id);
      insert.run(id);
    },
    drain: async () => {
      for (const id of asked.splice(0)) update.run(id);
    },
    close: () => db.close(),
  };
}

function rawBull(url: string) {
  const connection = { url };
  const options = { connection, prefix: "raw" };
  const queue = new Queue("raw", { ...options, defaultJobOptions: { removeOnComplete: true } });
  return {
    add: async (n: number) => void (await queue.add("job", { hash: hashOf(n) })),
    drain: async () => {
      const worker = new Worker("raw", async () => {}, { ...options, concurrency: 1 });
      await new Promise<void>((resolve) => worker.once("drained", resolve));
      await worker.close();
    },
    [Symbol.asyncDispose]: async () => await queue.close(),
  };
}

async function askAll(ask: (n: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  const rest = numbers(jobs).values();
  await Promise.all(
    numbers(atOnce).map(async () => {
      for (const n of rest) times.push(await elapsed(() => ask(n)));
    }),
  );
  return times;
}

async function drainQueue(queue: JobQueue): Promise<void> {
  const { signal } = new AbortController();
  while ((await queue.counts()).pending > 0) {
    const run = await queue.take({ signal });
    await run.assertHeld();
    await run.settle(run.jobs.map(({ id }) => ({ id, outcome: { kind: "completed", result: {} } })));
  }
}

async function perSecond(drain: () => Promise<void>): Promise<number> {
  return jobs / ((await elapsed(drain)) / 1000);
}

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function repeat<T>(measure: (run: number) => Promise<T>): Promise<T[]> {
  const measured: T[] = [];
  for (let run = 0; run < runs; run += 1) measured.push(await measure(run));
  return measured;
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const hashOf = (n: number) => n.toString(16).padStart(40, "0");
