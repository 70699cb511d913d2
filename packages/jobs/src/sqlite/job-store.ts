import type { Clock } from "@qbit-sidecars/service";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Candidate, olderFirst } from "../choose-run.ts";
import {
  type Cancelled,
  type Enqueued,
  type Job,
  type JobCounts,
  type JobFilter,
  type JobPage,
  type JobWish,
  jobStatuses,
  type Json,
  type QueueStats,
} from "../contract.ts";
import type { TakenRun } from "../held-run.ts";
import { boundFilter } from "../job-filter.ts";
import type { JobIds } from "../job-ids.ts";
import { lostTooOften, mostInterruptions } from "../interrupted.ts";
import type { RecordChange } from "../settle-job.ts";
import { isoOf, jobColumns, jobOf, jobTables, whereOf } from "./job-rows.ts";

type LeftBehind = { readonly returned: readonly string[]; readonly failed: readonly string[] };

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** The statements of the queue. Knows no transactions: whoever calls what writes has begun one. */
export class JobStore {
  readonly #db: DatabaseSync;
  readonly #ids: JobIds;
  readonly #clock: Clock;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, { ids, clock }: { ids: JobIds; clock: Clock }) {
    this.#db = db;
    this.#ids = ids;
    this.#clock = clock;
  }

  enqueue({ context, hash, dryRun = false, trace = false, delayMs = 0 }: JobWish): Enqueued {
    const dueAt = delayMs > 0 ? this.#clock.now() + delayMs : 0;
    const asked = [context ?? null, hash ?? null, Number(dryRun), Number(trace)] as const;
    const standing = this.#prepare(
      `SELECT ${jobColumns} FROM ${jobTables} WHERE j.status = 'pending'
       AND j.context IS ? AND j.hash IS ? AND j.dry_run = ? AND j.trace = ? ORDER BY j.seq LIMIT 1`,
    ).get(...asked);
    if (standing !== undefined) return { job: this.#hasten(jobOf(standing), dueAt), coalesced: true };
    const id = this.#ids.next();
    this.#prepare(
      "INSERT INTO jobs (id, context, hash, dry_run, trace, status, created_at) VALUES (?, ?, ?, ?, ?, 'pending', ?)",
    ).run(id, ...asked, isoOf(this.#clock.now()));
    const { lastInsertRowid } = this.#prepare("INSERT INTO queue (job_id, due_at) VALUES (?, ?)").run(
      id,
      dueAt,
    );
    this.#prepare("UPDATE jobs SET seq = ? WHERE id = ?").run(lastInsertRowid, id);
    return { job: this.#must(id), coalesced: false };
  }

  get(id: string): Job | undefined {
    const row = this.#prepare(`SELECT ${jobColumns} FROM ${jobTables} WHERE j.id = ?`).get(id);
    return row === undefined ? undefined : jobOf(row);
  }

  details(id: string): Json | undefined {
    const details = this.#prepare("SELECT details FROM jobs WHERE id = ?").get(id)?.["details"];
    return typeof details === "string" ? JSON.parse(details) : undefined;
  }

  list(asked: JobFilter): JobPage {
    const filter = boundFilter(asked);
    const { limit, offset } = filter;
    const { sql, values } = whereOf(filter);
    const total = Number(this.#prepare(`SELECT count(*) AS n FROM jobs j ${sql}`).get(...values)?.["n"]);
    const rows = this.#prepare(
      `SELECT ${jobColumns} FROM ${jobTables} ${sql} ORDER BY j.created_at DESC, j.id DESC LIMIT ? OFFSET ?`,
    ).all(...values, limit, offset);
    return { total, limit, offset, jobs: rows.map(jobOf) };
  }

  counts(): JobCounts {
    const rows = this.#prepare("SELECT status, count(*) AS n FROM jobs GROUP BY status").all();
    const of = (status: string) => Number(rows.find((row) => row["status"] === status)?.["n"] ?? 0);
    const [pending = 0, processing = 0, completed = 0, failed = 0, cancelled = 0] = jobStatuses.map(of);
    const total = rows.reduce((sum, row) => sum + Number(row["n"]), 0);
    return { total, pending, processing, completed, failed, cancelled };
  }

  stats(): QueueStats {
    const now = this.#clock.now();
    const since = isoOf(now - dayMs);
    const jobs = this.counts();
    const { ended, mean } = this.#one(
      `SELECT count(*) AS ended,
         avg(CASE WHEN status = 'completed' THEN (julianday(completed_at) - julianday(started_at)) * ${dayMs} END) AS mean
       FROM jobs WHERE completed_at >= ? AND status IN ('completed', 'failed')`,
      since,
    );
    const { last } = this.#one("SELECT max(completed_at) AS last FROM jobs WHERE status = 'completed'");
    const { first } = this.#one(
      "SELECT min(a) AS first FROM (SELECT opened_at AS a FROM runs UNION ALL SELECT min(created_at) FROM jobs)",
    );
    const hours = Math.min(24, Math.max(1, (now - Date.parse(String(first))) / hourMs));
    return {
      jobs,
      depth: jobs.pending + jobs.processing,
      averageExecutionMs: typeof mean === "number" ? Math.round(mean) : null,
      jobsPerHour: Number(ended) / hours,
      lastCompletedAt: typeof last === "string" ? last : null,
    };
  }

  cancel(id: string): Cancelled {
    const job = this.get(id);
    if (job === undefined) return { kind: "not found" };
    if (job.status !== "pending") return { kind: "not pending", status: job.status };
    this.#end({ id, status: "cancelled", endedAtMs: this.#clock.now(), ...nothing });
    this.#unqueue(id);
    return { kind: "cancelled", job: this.#must(id) };
  }

  /** The oldest jobs that may start now. */
  due(most: number): Candidate[] {
    const rows = this.#prepare(
      `SELECT ${jobColumns} FROM queue q JOIN jobs j ON j.id = q.job_id WHERE q.due_at <= ?
       ORDER BY q.priority DESC, q.id LIMIT ?`,
    ).all(this.#clock.now(), most);
    return rows.map((row) => ({ ...jobOf(row), interrupted: Number(row["interrupted"]) }));
  }

  /**
   * What must change so that nobody overtakes an older job about the same torrent that was put off. Empty, mostly.
   *
   * @param most how many due jobs are looked at
   */
  disorder(most: number): Map<string, number> {
    const now = this.#clock.now();
    const waiting = this.#prepare(
      `SELECT q.id AS place, q.job_id AS id, q.due_at, j.hash, j.not_ready, j.waits_for
       FROM queue q JOIN jobs j ON j.id = q.job_id WHERE q.due_at > ? ORDER BY q.id`,
    ).all(now);
    if (waiting.length === 0) return new Map();
    const due = this.#prepare(
      `SELECT q.id AS place, q.job_id AS id, q.due_at, j.hash FROM queue q JOIN jobs j ON j.id = q.job_id
       WHERE q.due_at <= ? AND j.hash IS NOT NULL ORDER BY q.priority DESC, q.id LIMIT ?`,
    ).all(now, most);
    const holders = new Map<unknown, (typeof waiting)[number]>();
    for (const row of waiting.toReversed()) {
      if (row["hash"] !== null && wasPutOff(row)) holders.set(row["hash"], row);
    }
    const held = waiting.filter((row) => row["waits_for"] === olderFirst);
    const changes = new Map<string, number>();
    for (const row of [...due, ...held]) {
      const holder = holders.get(row["hash"]);
      const isBehind = holder !== undefined && Number(holder["place"]) < Number(row["place"]);
      const dueAt = isBehind ? Number(holder["due_at"]) : 0;
      if (isBehind || held.includes(row)) changes.set(String(row["id"]), dueAt);
      if (dueAt === Number(row["due_at"])) changes.delete(String(row["id"]));
    }
    return changes;
  }

  /** Lets jobs wait behind others until a time, or with 0 no longer. */
  putInOrder(changes: ReadonlyMap<string, number>): void {
    for (const [id, dueAt] of changes) {
      this.#prepare("UPDATE queue SET due_at = ? WHERE job_id = ?").run(dueAt, id);
      this.#prepare("UPDATE jobs SET waits_for = ? WHERE id = ?").run(dueAt > 0 ? olderFirst : null, id);
    }
  }

  untilDueMs(): number | undefined {
    const { due } = this.#one("SELECT min(due_at) AS due FROM queue");
    return due === null || due === undefined ? undefined : Math.max(1, Number(due) - this.#clock.now());
  }

  start(chosen: readonly Candidate[]): TakenRun {
    const { fence } = this.#one("UPDATE runs SET last_fence = last_fence + 1 RETURNING last_fence AS fence");
    const startedAt = isoOf(this.#clock.now());
    const jobs = chosen.map(({ id }) => {
      this.#unqueue(id);
      const row = this.#prepare(
        `UPDATE jobs SET status = 'processing', started_at = ?, attempts = attempts + 1, waits_for = NULL
         WHERE id = ? RETURNING not_ready`,
      ).get(startedAt, id);
      return { job: this.#must(id), notReady: Number(row?.["not_ready"]) };
    });
    return { id: this.#ids.next(), fence: Number(fence), jobs };
  }

  settle(change: RecordChange): void {
    if (change.status !== "pending") return this.#end(change);
    const { id, attempts, notReady, wait } = change;
    this.#prepare(
      "UPDATE jobs SET status = 'pending', attempts = ?, not_ready = ?, waits_for = ? WHERE id = ?",
    ).run(attempts, notReady, wait?.reason ?? null, id);
    this.#requeue(id, wait?.dueMs ?? 0);
  }

  /** Jobs that are being processed although there is no run. */
  leftBehind(): LeftBehind {
    const rows = this.#prepare("SELECT id, interrupted FROM jobs WHERE status = 'processing'").all();
    const idsOf = (isFailed: boolean) =>
      rows
        .filter(({ interrupted }) => Number(interrupted) + 1 >= mostInterruptions === isFailed)
        .map(({ id }) => String(id));
    return { returned: idsOf(false), failed: idsOf(true) };
  }

  takeBack({ returned, failed }: LeftBehind): void {
    for (const id of returned) {
      this.#prepare("UPDATE jobs SET status = 'pending', interrupted = interrupted + 1 WHERE id = ?").run(id);
      this.#requeue(id, 0);
    }
    const endedAtMs = this.#clock.now();
    for (const id of failed) this.#end({ id, status: "failed", endedAtMs, ...nothing, error: lostTooOften });
  }

  removeEnded(olderThanMs: number): number {
    const { changes } = this.#prepare(
      "DELETE FROM jobs WHERE completed_at < ? AND status IN ('completed', 'failed', 'cancelled')",
    ).run(isoOf(this.#clock.now() - olderThanMs));
    return Number(changes);
  }

  disagreements(): string[] {
    const count = (sql: string) => Number(this.#one(`SELECT count(*) AS n FROM ${sql}`)["n"]);
    const lost = count("jobs WHERE status = 'pending' AND id NOT IN (SELECT job_id FROM queue)");
    const stray = count("queue WHERE job_id NOT IN (SELECT id FROM jobs WHERE status = 'pending')");
    return [
      ...(lost === 0 ? [] : [`${lost} pending jobs stood in no queue`]),
      ...(stray === 0 ? [] : [`${stray} places in the queue belonged to no pending job`]),
    ];
  }

  makeAgree(): void {
    this.#db.exec(`
      DELETE FROM queue WHERE job_id NOT IN (SELECT id FROM jobs WHERE status = 'pending');
      INSERT INTO queue (job_id) SELECT id FROM jobs
        WHERE status = 'pending' AND id NOT IN (SELECT job_id FROM queue) ORDER BY created_at, id;
      UPDATE jobs SET seq = (SELECT id FROM queue WHERE job_id = jobs.id) WHERE status = 'pending';
    `);
  }

  /** Equal wishes at different times: the earlier one counts. */
  #hasten(job: Job, dueAt: number): Job {
    if (job.dueAt === null || dueAt >= Date.parse(job.dueAt)) return job;
    this.#prepare("UPDATE queue SET due_at = ? WHERE job_id = ?").run(dueAt, job.id);
    return this.#must(job.id);
  }

  #end(change: Ending): void {
    const { id, status, endedAtMs, result, error, details } = change;
    this.#prepare(
      "UPDATE jobs SET status = ?, completed_at = ?, result = ?, error = ?, details = ?, waits_for = NULL WHERE id = ?",
    ).run(status, isoOf(endedAtMs), jsonOf(result ?? undefined), error, jsonOf(details), id);
  }

  #requeue(id: string, dueAt: number): void {
    this.#prepare("INSERT INTO queue (id, job_id, due_at) SELECT seq, id, ? FROM jobs WHERE id = ?").run(
      dueAt,
      id,
    );
  }

  #unqueue(id: string): void {
    this.#prepare("DELETE FROM queue WHERE job_id = ?").run(id);
  }

  #must(id: string): Job {
    const job = this.get(id);
    if (job === undefined) throw new Error(`job ${id} is gone`);
    return job;
  }

  #one(sql: string, ...values: string[]) {
    return this.#prepare(sql).get(...values) ?? {};
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

type Ending =
  | Extract<RecordChange, { readonly status: "completed" | "failed" }>
  | (Omit<Extract<RecordChange, { readonly status: "completed" | "failed" }>, "status"> & {
      readonly status: "cancelled";
    });

const nothing = { result: null, error: null, details: undefined } as const;

/** A job that merely was asked for with a delay waits for nothing. */
function wasPutOff(row: Readonly<Record<string, unknown>>): boolean {
  const waitsFor = row["waits_for"];
  return Number(row["not_ready"]) > 0 || (waitsFor !== null && waitsFor !== olderFirst);
}

function jsonOf(value: Json | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
