import type { Clock, Logger } from "@qbit-sidecars/service";
import { chooseRun, window } from "../choose-run.ts";
import type { TakenRun } from "../held-run.ts";
import { lostTooOften, mostInterruptions } from "../interrupted.ts";
import type { JobIds } from "../job-ids.ts";
import { must, type StoredJob } from "./job-record.ts";
import type { JobScripts } from "./job-scripts.ts";

export type TakeDueOptions = {
  readonly ids: JobIds;
  readonly mostJobs: number;
  readonly clock: Clock;
  readonly log: Logger | undefined;
};

/** Begins a run of the oldest jobs that are due; undefined when there are none, or another run has begun meanwhile. */
export async function takeDue(
  scripts: JobScripts,
  { ids, mostJobs, clock, log }: TakeDueOptions,
): Promise<TakenRun | undefined> {
  const id = ids.next();
  while (true) {
    const now = clock.now();
    const at = new Date(now).toISOString();
    const [fence, returned, failed, records] = await scripts.run("begin", {
      doing: "taking jobs",
      args: [id, now, at, mostInterruptions, lostTooOften, window],
    });
    if (returned + failed > 0) log?.warn({ returned, failed }, "jobs whose run did not end were taken back");
    const due = records.map((record) => must(record));
    const chosen = chooseRun(due.map(candidateOf), mostJobs).map((job) => job.id);
    if (chosen.length === 0) return undefined;
    const started = await scripts.run("start", {
      doing: "taking jobs",
      args: [id, at, JSON.stringify(chosen)],
    });
    if (started === null) return undefined;
    // Between the two scripts all of them can have been cancelled.
    if (started.length > 0) return { id, fence, jobs: started.map((record) => must(record)) };
  }
}

function candidateOf({ job, interrupted }: StoredJob) {
  return { ...job, interrupted };
}
