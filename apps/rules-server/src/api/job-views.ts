import type { Enqueued, Job } from "@qbit-sidecars/jobs";
import type * as z from "zod/mini";
import type { jobRow, queued } from "./answers.ts";

/** A job as the API shows it. */
export function rowOf(job: Job): z.output<typeof jobRow> {
  return {
    job_id: job.id,
    status: job.status,
    context: job.context,
    hash: job.hash,
    dry_run: job.dryRun,
    trace: job.trace,
    created_at: job.createdAt,
    started_at: job.startedAt,
    completed_at: job.completedAt,
    attempts: job.attempts,
    waits_until: job.dueAt,
    waits_for: job.waitsFor,
    result: job.result,
    error: job.error,
  };
}

/** A job as it is shown to whoever asked for it. */
export function queuedOf({ job, coalesced }: Enqueued): z.output<typeof queued> {
  return { ...rowOf(job), queued_at: job.createdAt, deduplicated: coalesced };
}
