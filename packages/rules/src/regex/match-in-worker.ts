import { Worker } from "node:worker_threads";

export type SlowOutcome = "match" | "no match" | "out of time";

/** Runs as text, so that a program bundled into one file needs no second one. */
const workerSource = `
const { workerData } = require("node:worker_threads");
const { pattern, texts, outcomes } = workerData;
const results = new Int8Array(outcomes);
const regex = new RegExp(pattern, "u");
for (let at = 0; at < texts.length; at += 1) {
  if (results[at] !== 0) continue;
  Atomics.store(results, at, 3);
  Atomics.store(results, at, regex.test(texts[at]) ? 1 : 2);
}
`;

const underWay = 3;
const words: readonly (SlowOutcome | undefined)[] = [undefined, "match", "no match", "out of time"];

/** One text may take a quarter of the budget: a single hostile name must not eat what the others need. */
const shareOfOne = 4;

/**
 * Searches texts for a pattern in a thread that is stopped when the time is up. What was not found out by then is
 * `out of time`, and so is a text on which a quarter of the budget was spent.
 */
export async function matchInWorker(
  pattern: string,
  texts: readonly string[],
  budgetMs: number,
): Promise<SlowOutcome[]> {
  const outcomes = new SharedArrayBuffer(texts.length);
  const results = new Int8Array(outcomes);
  const endsAt = performance.now() + budgetMs;
  while (performance.now() < endsAt && results.includes(0)) {
    const worker = new Worker(workerSource, { eval: true, workerData: { pattern, texts, outcomes } });
    await watch(worker, { results, endsAt, mostForOneMs: budgetMs / shareOfOne });
    await worker.terminate();
  }
  return Array.from(results, (result) => words[result] ?? "out of time");
}

type Watched = { results: Int8Array; endsAt: number; mostForOneMs: number };

/** Resolves when the worker is done, the budget is spent, or one text has taken its share. */
async function watch(worker: Worker, { results, endsAt, mostForOneMs }: Watched): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let last = -1;
  let since = performance.now();
  const look = () => {
    const now = performance.now();
    const current = results.indexOf(underWay, Math.max(0, last));
    if (current !== last) [last, since] = [current, now];
    if (now >= endsAt || (current !== -1 && now - since > mostForOneMs)) resolve();
  };
  const timer = setInterval(look, 10);
  worker.once("exit", () => resolve());
  worker.once("error", reject);
  try {
    await promise;
  } finally {
    clearInterval(timer);
  }
}
