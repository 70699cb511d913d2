import { type JobCounts, jobStatuses, type QueueStats } from "../contract.ts";
import type { JobScripts } from "./job-scripts.ts";

const hourMs = 3_600_000;
const hoursOfADay = 24;

export async function readCounts(scripts: JobScripts): Promise<JobCounts> {
  const [pending = 0, processing = 0, completed = 0, failed = 0, cancelled = 0] = await scripts.ask(
    "counting jobs",
    async (redis) =>
      await Promise.all(jobStatuses.map((status) => redis.scard(scripts.key(`jobs:status:${status}`)))),
  );
  const total = pending + processing + completed + failed + cancelled;
  return { total, pending, processing, completed, failed, cancelled };
}

/** Sums of whole hours: the one that runs and the 23 before. */
export async function readStats(scripts: JobScripts, now: number): Promise<QueueStats> {
  const thisHour = Math.floor(now / hourMs);
  const hours = Array.from({ length: hoursOfADay }, (_, ago) => scripts.key(`stats:${thisHour - ago}`));
  const [jobs, sums, last, openedAt] = await scripts.ask(
    "summing up jobs",
    async (redis) =>
      await Promise.all([
        readCounts(scripts),
        Promise.all(hours.map((hour) => redis.hmget(hour, "ended", "completed", "ms"))),
        redis.get(scripts.key("stats:last_completed")),
        redis.get(scripts.key("queue:opened_at")),
      ]),
  );
  const sum = (at: number) => sums.reduce((total, each) => total + Number(each[at] ?? 0), 0);
  const completed = sum(1);
  const existed = (now - Number(openedAt ?? now)) / hourMs;
  return {
    jobs,
    depth: jobs.pending + jobs.processing,
    averageExecutionMs: completed === 0 ? null : Math.round(sum(2) / completed),
    jobsPerHour: sum(0) / Math.min(hoursOfADay, Math.max(1, existed)),
    lastCompletedAt: last,
  };
}

/** How many jobs may start now or were left behind, and when the next one is due. */
export async function toDo(scripts: JobScripts): Promise<{ now: number; nextDueMs: number | undefined }> {
  const [pending, processing, [, due]] = await scripts.ask(
    "looking whether jobs wait",
    async (redis) =>
      await Promise.all([
        redis.llen(scripts.key("queue:pending")),
        redis.scard(scripts.key("jobs:status:processing")),
        redis.zrange(scripts.key("queue:waiting"), "0", "0", "WITHSCORES"),
      ]),
  );
  return { now: pending + processing, nextDueMs: due === undefined ? undefined : Number(due) };
}
