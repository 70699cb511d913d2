import type { JobCounts, JobQueue, QueueStats } from "@qbit-sidecars/jobs";
import { formatProblem, type Problem } from "@qbit-sidecars/rules";
import type { RulesFile, Worker } from "@qbit-sidecars/rules-run";
import { type Clock, messageWithCauses } from "@qbit-sidecars/service";
import type * as z from "zod/mini";
import type * as shapes from "./api/answers.ts";
import type { Reports } from "./api/endpoints.ts";
import type { QbittorrentWatch } from "./qbittorrent-watch.ts";
import type { RuleHits } from "./rule-hits.ts";

export type Build = { readonly gitCommit: string | undefined; readonly buildDate: string | undefined };

export type ReportParts = {
  readonly queue: JobQueue;
  readonly rules: RulesFile;
  readonly hits: RuleHits;
  /** Undefined: others do the jobs. */
  readonly worker: Worker | undefined;
  readonly qbittorrent: QbittorrentWatch;
  readonly version: string;
  readonly build: Build;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

type Shape<Name extends keyof typeof shapes> = z.output<(typeof shapes)[Name]>;
type WorkerReport = Shape<"stats">["worker"];

/** What the API tells of the server itself. */
export function makeReports(parts: ReportParts): Reports {
  const startedAt = parts.clock.monotonic();
  return {
    health: (isKnown) => health(parts, isKnown),
    stats: () => stats(parts, parts.clock.monotonic() - startedAt),
    version: () => versions(parts),
    rules: () => rulesReport(parts),
  };
}

async function health(parts: ReportParts, isKnown: boolean): Promise<{ ok: boolean; body: Shape<"health"> }> {
  const { queue, rules, hits, qbittorrent, version, clock } = parts;
  const [queued, worker, seen] = await Promise.all([
    queueHealth(queue),
    workerReport(parts),
    qbittorrent.look(),
  ]);
  await rules.look();
  const { status, inForce, problems } = rules.state;
  // Names and patterns of rules are nobody's business who has no key.
  const why = isKnown
    ? firstOf(problems)
    : "GET /api/rules says why, to whoever has the key; so does the log";
  const errors = [
    ...queued.errors,
    ...worker.errors,
    ...(seen.connected ? [] : [`Cannot connect to qBittorrent: ${seen.message}`]),
    ...(status === "none" ? [`There are no rules to run: ${why}`] : []),
  ];
  const warnings = [
    ...queue.warnings,
    ...(status === "stale" ? [`The rules file is wrong, the rules before it are in force: ${why}`] : []),
  ];
  const isElsewhere = parts.worker === undefined;
  if (isElsewhere && queued.counts !== undefined) await hits.all();
  const workerVersion = isElsewhere && hits.version !== inForce?.version ? hits.version : null;
  if (workerVersion !== null) warnings.push(`The worker runs other rules (${workerVersion}) than stand here`);
  const ok = errors.length === 0;
  return {
    ok,
    body: {
      status: ok ? "healthy" : "unhealthy",
      ...(!ok && { errors }),
      warnings,
      version,
      timestamp: new Date(clock.now()).toISOString(),
      queue: {
        backend: queue.backend,
        pending_jobs: queued.counts?.pending ?? null,
        processing_jobs: queued.counts?.processing ?? null,
      },
      worker: worker.report,
      qbittorrent: { connected: seen.connected, version: seen.version, message: seen.message },
      rules: {
        status,
        version: inForce?.version ?? null,
        worker_version: workerVersion,
        loaded_at: inForce?.loadedAt ?? null,
        count: inForce?.ruleset.rules.length ?? 0,
        ...(isKnown && { problems: problems.map(showProblem) }),
      },
    },
  };
}

function firstOf(problems: readonly Problem[]): string {
  const [first] = problems;
  return first === undefined ? "the file was not read" : formatProblem(first);
}

async function queueHealth(queue: JobQueue): Promise<{ counts: JobCounts | undefined; errors: string[] }> {
  const { ok, detail } = await queue.health();
  if (!ok) return { counts: undefined, errors: [`Queue backend not accessible: ${detail}`] };
  try {
    return { counts: await queue.counts(), errors: [] };
  } catch (error) {
    return { counts: undefined, errors: [`Queue backend not accessible: ${messageWithCauses(error)}`] };
  }
}

async function workerReport(parts: ReportParts): Promise<{ report: WorkerReport; errors: string[] }> {
  const { queue, worker, signal } = parts;
  const [stored, others] = await Promise.all([
    queue.stats().catch((): QueueStats | undefined => undefined),
    worker === undefined ? queue.workers().catch(() => 0) : 1,
  ]);
  const isRunning = worker === undefined ? others > 0 : worker.status().state !== "stopped";
  const report = {
    status: isRunning ? "running" : "stopped",
    mode: worker === undefined ? "remote" : "embedded",
    last_job_completed: stored?.lastCompletedAt ?? worker?.status().lastJobCompleted ?? null,
  } as const;
  if (isRunning || signal.aborted) return { report, errors: [] };
  const why = worker === undefined ? "no rules-worker takes jobs from the queue" : "it has stopped";
  return { report, errors: [`Worker thread not responding: ${why}`] };
}

async function stats(parts: ReportParts, upMs: number): Promise<Shape<"stats">> {
  const { queue, clock } = parts;
  const [stored, worker] = await Promise.all([queue.stats(), workerReport(parts)]);
  const { averageExecutionMs, jobsPerHour } = stored;
  return {
    jobs: stored.jobs,
    performance: {
      average_execution_time:
        averageExecutionMs === null
          ? null
          : `${rounded(averageExecutionMs / 1000, averageExecutionMs < 1000 ? 3 : 1)}s`,
      jobs_per_hour: rounded(jobsPerHour, 1),
    },
    queue: { backend: queue.backend, depth: stored.depth },
    worker: worker.report,
    uptime: uptimeText(upMs),
    timestamp: new Date(clock.now()).toISOString(),
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** `5d 12h 30m`; below a minute `42s`. */
function uptimeText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes === 0) return `${Math.floor(ms / 1000)}s`;
  const parts = { d: Math.floor(minutes / 1440), h: Math.floor(minutes / 60) % 24, m: minutes % 60 };
  const words = Object.entries(parts).map(([unit, value]) => `${value}${unit}`);
  return words.slice(parts.d > 0 ? 0 : parts.h > 0 ? 1 : 2).join(" ");
}

async function versions({ version, build, qbittorrent }: ReportParts): Promise<Shape<"version">> {
  const { webApi } = await qbittorrent.look();
  return {
    version,
    api_version: "1.0",
    qbittorrent_api_version: webApi,
    build_date: build.buildDate ?? null,
    git_commit: build.gitCommit ?? null,
  };
}

async function rulesReport({ rules, hits }: ReportParts): Promise<Shape<"rules">> {
  await rules.look();
  const { status, inForce, problems } = rules.state;
  const counted = await hits.all();
  return {
    status,
    file: rules.path,
    version: inForce?.version ?? null,
    loaded_at: inForce?.loadedAt ?? null,
    problems: problems.map(showProblem),
    rules: (inForce?.ruleset.rules ?? []).map(
      ({ name, enabled, contexts, stopOnMatch, isDestructive, at, actions }) => ({
        name,
        enabled,
        contexts: [...contexts],
        stop_on_match: stopOnMatch,
        destructive: isDestructive,
        line: at.line,
        actions: actions.map(({ action }) => action.name),
        hits: counted.get(name)?.count ?? 0,
        last_hit: counted.get(name)?.last ?? null,
      }),
    ),
  };
}

function showProblem({ severity, line, column, rule, message }: Problem): Shape<"rules">["problems"][number] {
  return { severity, line, column, rule: rule ?? null, message };
}
