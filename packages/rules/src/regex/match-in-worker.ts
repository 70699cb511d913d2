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
/** A thread that has not begun by then will not: this machine has no time to spare. */
const mostForStartMs = 10_000;

/**
 * Searches texts for a pattern in a thread that is stopped when the time is up. What was not found out by then is
 * `out of time`, and so is a text on which a quarter of the budget was spent. Starting the thread is not the pattern's
 * fault: only the time from its first text on counts.
 */
export async function matchInWorker(
  pattern: string,
  texts: readonly string[],
  budgetMs: number,
): Promise<{ outcomes: SlowOutcome[]; spentMs: number }> {
  const outcomes = new SharedArrayBuffer(texts.length);
  const results = new Int8Array(outcomes);
  let spentMs = 0;
  while (spentMs < budgetMs && results.includes(0)) {
    const worker = new Worker(workerSource, { eval: true, workerData: { pattern, texts, outcomes } });
    const leftMs = budgetMs - spentMs;
    spentMs += await watch(worker, { results, leftMs, mostForOneMs: budgetMs / shareOfOne });
    await worker.terminate();
  }
  return { outcomes: Array.from(results, (result) => words[result] ?? "out of time"), spentMs };
}

type Watched = { results: Int8Array; leftMs: number; mostForOneMs: number };

/**
 * Resolves when the worker is done, the budget is spent, or one text has taken its share: with the time since it began
 * its first text, or all that is left when it never did.
 */
async function watch(worker: Worker, { results, leftMs, mostForOneMs }: Watched): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const next = results.indexOf(0);
  const startedAt = performance.now();
  let begunAt: number | undefined;
  let last = -1;
  let since = startedAt;
  const look = () => {
    const now = performance.now();
    if (begunAt === undefined && results[next] !== 0) begunAt = now;
    if (begunAt === undefined) return now - startedAt > mostForStartMs ? resolve() : undefined;
    const current = results.indexOf(underWay, next);
    if (current !== last) [last, since] = [current, now];
    if (now - begunAt >= leftMs || (current !== -1 && now - since > mostForOneMs)) resolve();
    return undefined;
  };
  const timer = setInterval(look, 10);
  worker.once("exit", () => resolve());
  worker.once("error", reject);
  try {
    await promise;
    if (results[next] === 0) return leftMs;
    return performance.now() - (begunAt ?? performance.now());
  } finally {
    clearInterval(timer);
  }
}
