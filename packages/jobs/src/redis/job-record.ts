import { type Job, jobStatuses, type JsonObject } from "../contract.ts";
import { QueueUnavailableError } from "../errors.ts";
import type { TakenJob } from "../held-run.ts";

type Field = string | null | undefined;

/** A record as the scripts answer it: its fields in the order of `fields` in scripts/common.ts. */
export type JobRecord = readonly (string | null)[];

/** A job, and what only the queue needs to know of it. */
export type StoredJob = TakenJob & { readonly interrupted: number };

/** Undefined when there is no such record. */
export function storedJobOf(record: JobRecord): StoredJob | undefined {
  const [id, context, hash, status, createdAt, startedAt, completedAt, result, error, ...rest] = record;
  const [dryRun, trace, attempts, interrupted, notReady, dueAt, waitsFor] = rest;
  const known = jobStatuses.find((each) => each === status);
  if (typeof id !== "string" || known === undefined) return undefined;
  const job: Job = {
    id,
    context: textOf(context),
    hash: textOf(hash),
    dryRun: dryRun === "1",
    trace: trace === "1",
    status: known,
    createdAt: timeOf(createdAt) ?? new Date(0).toISOString(),
    startedAt: timeOf(startedAt),
    completedAt: timeOf(completedAt),
    result: resultOf(result),
    error: textOf(error),
    attempts: Number(attempts ?? 0),
    dueAt: typeof dueAt === "string" ? new Date(Number(dueAt)).toISOString() : null,
    waitsFor: textOf(waitsFor),
  };
  return { job, notReady: Number(notReady ?? 0), interrupted: Number(interrupted ?? 0) };
}

/** Of a record that a script has just written. @throws QueueUnavailableError somebody else has removed it */
export function must(record: JobRecord): StoredJob {
  const stored = storedJobOf(record);
  if (stored === undefined)
    throw new QueueUnavailableError("reading a job that was just written: it is gone");
  return stored;
}

/** Earlier programs wrote nothing as an empty text. */
function textOf(field: Field): string | null {
  return typeof field === "string" && field !== "" ? field : null;
}

/** Earlier programs wrote "+00:00" where this one writes "Z". */
function timeOf(field: Field): string | null {
  const time = Date.parse(textOf(field) ?? "");
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

function resultOf(field: Field): JsonObject | null {
  const text = textOf(field);
  if (text === null) return null;
  try {
    const result: unknown = JSON.parse(text);
    return isObject(result) ? result : { value: text };
  } catch {
    return { value: text };
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
