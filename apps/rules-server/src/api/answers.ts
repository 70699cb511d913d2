import * as z from "zod/mini";

/** What the API answers. Shapes are those of qbt-rules 0.4's plan, with what its server really sent beside. */

const time = z.string().check(z.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/));
const status = z.enum(["pending", "processing", "completed", "failed", "cancelled"]);
const count = z.int().check(z.nonnegative());

const jobFields = {
  job_id: z.string(),
  status,
  context: z.nullable(z.string()),
  hash: z.nullable(z.string()),
  dry_run: z.boolean(),
  trace: z.boolean(),
  created_at: time,
  started_at: z.nullable(time),
  completed_at: z.nullable(time),
  attempts: count,
  waits_until: z.nullable(time),
  waits_for: z.nullable(z.string()),
  result: z.nullable(z.record(z.string(), z.unknown())),
  error: z.nullable(z.string()),
};

export const jobRow = z.strictObject(jobFields);
export const job = z.strictObject({ ...jobFields, details: z.unknown() });
export const queued = z.strictObject({ ...jobFields, queued_at: time, deduplicated: z.boolean() });

export const queuedJobs = z.strictObject({ jobs: z.array(queued) });

export const jobList = z.strictObject({
  total: count,
  limit: count,
  offset: count,
  jobs: z.array(jobRow),
});

export const cancelled = z.strictObject({
  job_id: z.string(),
  status: z.literal("cancelled"),
  message: z.string(),
});

const workerState = z.strictObject({
  status: z.enum(["running", "stopped"]),
  mode: z.enum(["embedded", "remote"]),
  last_job_completed: z.nullable(time),
});

const problem = z.strictObject({
  severity: z.enum(["error", "warning"]),
  line: count,
  column: count,
  rule: z.nullable(z.string()),
  message: z.string(),
});

export const health = z.strictObject({
  status: z.enum(["healthy", "unhealthy"]),
  errors: z.optional(z.array(z.string())),
  warnings: z.array(z.string()),
  version: z.string(),
  timestamp: time,
  queue: z.strictObject({
    backend: z.enum(["sqlite", "redis"]),
    pending_jobs: z.nullable(count),
    processing_jobs: z.nullable(count),
  }),
  worker: workerState,
  qbittorrent: z.strictObject({
    connected: z.boolean(),
    version: z.nullable(z.string()),
    message: z.string(),
  }),
  rules: z.strictObject({
    status: z.enum(["ok", "stale", "none"]),
    version: z.nullable(z.string()),
    /** Of the last job, if it was another one. */
    worker_version: z.nullable(z.string()),
    loaded_at: z.nullable(time),
    count,
    /** Only for who shows a key. */
    problems: z.optional(z.array(problem)),
  }),
});

export const stats = z.strictObject({
  jobs: z.strictObject({
    total: count,
    pending: count,
    processing: count,
    completed: count,
    failed: count,
    cancelled: count,
  }),
  performance: z.strictObject({
    average_execution_time: z.nullable(z.string()),
    jobs_per_hour: z.number(),
  }),
  queue: z.strictObject({ backend: z.enum(["sqlite", "redis"]), depth: count }),
  worker: workerState,
  uptime: z.string(),
  timestamp: time,
});

export const version = z.strictObject({
  version: z.string(),
  api_version: z.string(),
  qbittorrent_api_version: z.nullable(z.string()),
  build_date: z.nullable(z.string()),
  git_commit: z.nullable(z.string()),
});

export const rules = z.strictObject({
  status: z.enum(["ok", "stale", "none"]),
  file: z.string(),
  version: z.nullable(z.string()),
  loaded_at: z.nullable(time),
  problems: z.array(problem),
  rules: z.array(
    z.strictObject({
      name: z.string(),
      enabled: z.boolean(),
      contexts: z.array(z.string()),
      stop_on_match: z.boolean(),
      destructive: z.boolean(),
      line: count,
      actions: z.array(z.string()),
      hits: count,
      last_hit: z.nullable(time),
    }),
  ),
});

export const refusal = z.strictObject({ error: z.string(), message: z.string() });
export const notCancelled = z.strictObject({ error: z.string(), message: z.string() });
export const crash = z.strictObject({ error: z.string(), message: z.string(), trace_id: z.string() });

export const torrents = z.strictObject({
  /** How many there are of that name, also those that are not in this answer. */
  total: count,
  torrents: z.array(
    z.strictObject({
      hash: z.string(),
      name: z.string(),
      state: z.string(),
      category: z.string(),
      tags: z.array(z.string()),
    }),
  ),
});

export const rulesText = z.strictObject({ file: z.string(), text: z.string() });
