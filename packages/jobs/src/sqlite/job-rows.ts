import type { SQLOutputValue } from "node:sqlite";
import type { Job, JobFilter, JobStatus, JsonObject } from "../contract.ts";
import { jobStatuses } from "../contract.ts";

type Row = Readonly<Record<string, SQLOutputValue>>;

/** The columns of a job; `due_at` is of the queue. `details` is read apart. */
export const jobColumns =
  "j.id, j.context, j.hash, j.status, j.created_at, j.started_at, j.completed_at, j.result, j.error, j.dry_run, j.trace, j.attempts, j.interrupted, j.not_ready, j.waits_for, q.due_at";

export const jobTables = "jobs j LEFT JOIN queue q ON q.job_id = j.id";

export function jobOf(row: Row): Job {
  const dueAt = Number(row["due_at"] ?? 0);
  return {
    id: String(row["id"]),
    context: textOf(row["context"]),
    hash: textOf(row["hash"]),
    dryRun: row["dry_run"] === 1,
    trace: row["trace"] === 1,
    status: statusOf(row["status"]),
    createdAt: String(row["created_at"]),
    startedAt: textOf(row["started_at"]),
    completedAt: textOf(row["completed_at"]),
    result: resultOf(row["result"]),
    error: textOf(row["error"]),
    attempts: Number(row["attempts"]),
    dueAt: dueAt > 0 ? new Date(dueAt).toISOString() : null,
    waitsFor: textOf(row["waits_for"]),
  };
}

/** WHERE and its parameters. */
export function whereOf({ status, context, fromMs, toMs }: JobFilter): { sql: string; values: string[] } {
  const parts: (readonly [sql: string, value: string])[] = [];
  if (status !== undefined) parts.push(["j.status = ?", status]);
  if (context !== undefined) parts.push(["j.context = ?", context]);
  if (fromMs !== undefined) parts.push(["j.created_at >= ?", isoOf(fromMs)]);
  if (toMs !== undefined) parts.push(["j.created_at < ?", isoOf(toMs)]);
  return {
    sql: parts.length === 0 ? "" : `WHERE ${parts.map(([sql]) => sql).join(" AND ")}`,
    values: parts.map(([, value]) => value),
  };
}

export function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

function textOf(value: SQLOutputValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function statusOf(value: SQLOutputValue | undefined): JobStatus {
  const status = jobStatuses.find((known) => known === value);
  if (status === undefined) throw new Error(`a job has the status ${String(value)}, which does not exist`);
  return status;
}

/** Also reads what earlier programs wrote; a result that is no JSON object is no reason to hide the job. */
function resultOf(value: SQLOutputValue | undefined): JsonObject | null {
  if (typeof value !== "string") return null;
  try {
    const result: unknown = JSON.parse(value);
    return isObject(result) ? result : { value };
  } catch {
    return { value };
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
