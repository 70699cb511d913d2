import * as z from "zod/mini";
import { jobStatuses } from "../contract.ts";
import type { JobScripts } from "./job-scripts.ts";

const keyList = z.array(z.string());

/** So many jobs in one script: a thousandth of a second each time, not one long stop of Redis. */
const atOnce = 200;

/** Removes jobs that ended before `beforeMs`. */
export async function removeEnded(scripts: JobScripts, beforeMs: number): Promise<number> {
  const doing = "removing old jobs";
  // What ended before was created before.
  const ids = await scripts.ask(
    doing,
    async (redis) => await redis.zrangebyscore(scripts.key("jobs:by_time"), "-inf", beforeMs / 1000),
  );
  const before = new Date(beforeMs).toISOString();
  let removed = 0;
  for (const some of inPieces(ids))
    removed += await scripts.run("remove", { doing, args: [before, JSON.stringify(some)] });
  return removed;
}

/** Makes sets, time index and pending list agree with the records, and says what did not. Idempotent. */
export async function repairIndex(scripts: JobScripts): Promise<string[]> {
  const doing = "repairing the index of jobs";
  const wrong = [0, 0, 0, 0];
  for (const some of inPieces([...(await everyId(scripts))])) {
    const timed = await withTimes(scripts, some);
    const found = await scripts.run("repair", { doing, args: [JSON.stringify(timed)] });
    for (const [at, count] of found.entries()) wrong[at] = (wrong[at] ?? 0) + count;
  }
  const what = ["in the sets of states", "in the index by time", "in the sets of contexts", "in the queue"];
  return wrong.flatMap((count, at) =>
    count > 0 ? [`${count} entries ${what[at]} did not fit the records`] : [],
  );
}

/** Every id that a record or an index knows. */
async function everyId(scripts: JobScripts): Promise<Set<string>> {
  return await scripts.ask("listing all jobs", async (redis) => {
    const lists = await Promise.all([
      redis.zrange(scripts.key("jobs:by_time"), "0", "-1"),
      redis.lrange(scripts.key("queue:pending"), 0, -1),
      redis.zrange(scripts.key("queue:waiting"), "0", "-1"),
      ...jobStatuses.map((status) => redis.smembers(scripts.key(`jobs:status:${status}`))),
    ]);
    const ids = new Set(lists.flat());
    const prefix = scripts.key("jobs:");
    const match = `${prefix}????????-????-????-????-????????????`;
    for await (const keys of redis.scanStream({ match, count: 1000 }))
      for (const key of keyList.parse(keys)) ids.add(key.slice(prefix.length));
    return ids;
  });
}

async function withTimes(scripts: JobScripts, ids: readonly string[]): Promise<[string, number][]> {
  const times = await scripts.ask(
    "reading when jobs were created",
    async (redis) => await Promise.all(ids.map((id) => redis.hget(scripts.key(`jobs:${id}`), "created_at"))),
  );
  return ids.map((id, at) => [id, (Date.parse(times[at] ?? "") || 0) / 1000]);
}

function inPieces<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / atOnce) }, (_, at) =>
    items.slice(at * atOnce, (at + 1) * atOnce),
  );
}
