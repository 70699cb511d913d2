import type { TakenJob } from "../held-run.ts";
import type { RecordChange } from "../settle-job.ts";

/** Changes as the script `settle` reads them; what is undefined is left out. */
export function settlementArguments(changes: readonly RecordChange[], jobs: readonly TakenJob[]): string {
  return JSON.stringify(changes.map((change) => argumentOf(change, jobs)));
}

function argumentOf(change: RecordChange, jobs: readonly TakenJob[]) {
  const { id, status } = change;
  if (status === "pending") {
    const { attempts, notReady, wait } = change;
    return { id, status, attempts, notReady, due: wait?.dueMs, reason: wait?.reason };
  }
  const { endedAtMs, result, error, details } = change;
  const startedAt = jobs.find(({ job }) => job.id === id)?.job.startedAt;
  return {
    id,
    status,
    at: new Date(endedAtMs).toISOString(),
    tookMs: Math.max(0, endedAtMs - Date.parse(startedAt ?? "")) || 0,
    result: result === null ? undefined : JSON.stringify(result),
    error: error ?? undefined,
    details: details === undefined ? undefined : JSON.stringify(details),
  };
}
