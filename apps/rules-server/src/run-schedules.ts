import type { JobQueue } from "@qbit-sidecars/jobs";
import type { Service } from "@qbit-sidecars/service";
import type { Schedule } from "./schedules.ts";

type Options = Pick<Service, "clock" | "random" | "log" | "signal"> & {
  readonly queue: Pick<JobQueue, "enqueue" | "get">;
  readonly dryRun: boolean;
};

/** The wall clock may be set while we sleep, so it is looked at again after so long. */
const longestSleepMs = 10 * 60_000;

/**
 * Queues a job at each time of each schedule, except while the one before is not over. What was missed while the
 * program did not run is not made up for. Ends with the signal.
 */
export function runSchedules(schedules: readonly Schedule[], options: Options): void {
  for (const schedule of schedules) void follow(schedule, options);
}

async function follow(schedule: Schedule, options: Options): Promise<void> {
  const { clock, random, signal, log } = options;
  let last: string | undefined;
  let after = clock.now();
  while (!signal.aborted) {
    const due = schedule.cron.nextRun(new Date(after));
    if (due === null) return;
    try {
      await sleepUntil(due.getTime() + random() * schedule.jitterMs, options);
    } catch {
      return;
    }
    after = Math.max(due.getTime(), clock.now());
    try {
      last = await queueOne(schedule, last, options);
    } catch (err) {
      log.error({ err, schedule: schedule.from }, "queueing a scheduled job; it is left out this time");
    }
  }
}

async function sleepUntil(at: number, { clock, signal }: Options): Promise<void> {
  for (let left = at - clock.now(); left > 0; left = at - clock.now())
    await clock.sleep(Math.min(left, longestSleepMs), signal);
}

async function queueOne(
  { context, dryRun, from, pattern }: Schedule,
  last: string | undefined,
  options: Options,
): Promise<string | undefined> {
  const { queue, log } = options;
  const before = last === undefined ? undefined : await queue.get(last);
  if (before?.status === "pending" || before?.status === "processing") {
    log.warn(
      { job: last, schedule: from },
      "the scheduled job before is not over yet; this time is left out",
    );
    return last;
  }
  const { job } = await queue.enqueue({ context, dryRun: dryRun || options.dryRun });
  log.info({ job: job.id, schedule: from, cron: pattern, context }, "scheduled job queued");
  return job.id;
}
