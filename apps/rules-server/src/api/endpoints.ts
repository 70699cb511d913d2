import type { JobQueue } from "@qbit-sidecars/jobs";
import type { RulesFile } from "@qbit-sidecars/rules-run";
import * as shapes from "./answers.ts";
import { ApiError } from "./api-error.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { crossSeedEndpoint } from "./cross-seed-endpoint.ts";
import { queuedOf, rowOf } from "./job-views.ts";
import {
  contextParam,
  delayParam,
  hashParam,
  limitParam,
  offsetParam,
  statusParam,
  toggleParam,
} from "./params.ts";

/** What the endpoints tell of, beside jobs. */
export type Reports = {
  /** @param isKnown whether whoever asks may see what stands in the rules file */
  health(isKnown: boolean): Promise<{ ok: boolean; body: unknown }>;
  stats(): Promise<unknown>;
  version(): Promise<unknown>;
  rules(): Promise<unknown>;
};

export type EndpointParts = {
  readonly queue: JobQueue;
  readonly rules: Pick<RulesFile, "look">;
  readonly reports: Reports;
  /** Every job is a dry run. */
  readonly dryRun: boolean;
  /** How long a job about one torrent waits when it does not say. */
  readonly settleDelayMs: number;
};

const ok = (body: unknown, status = 200) => ({ status, body });

export function endpoints(parts: EndpointParts): Endpoint[] {
  return [...jobEndpoints(parts), crossSeedEndpoint(parts), ...reportEndpoints(parts)];
}

function jobEndpoints({ queue, dryRun, settleDelayMs }: EndpointParts): Endpoint[] {
  return [
    endpoint("POST /api/execute", {
      about: "Queue a job that runs the rules. An equal job that is still pending is answered instead.",
      takesBody: true,
      params: {
        context: contextParam,
        hash: hashParam,
        dry_run: toggleParam("Plan, and change nothing."),
        trace: toggleParam("Keep every condition's answer with the job."),
        delay: delayParam,
      },
      answers: { 202: { about: "Queued", schema: shapes.queued } },
      async answer({ params: { context, hash, dry_run: wantsDryRun = false, trace = false, delay } }) {
        const settle = hash === undefined ? 0 : settleDelayMs;
        const enqueued = await queue.enqueue({
          context,
          hash,
          dryRun: dryRun || wantsDryRun,
          trace,
          delayMs: delay === undefined ? settle : delay * 1000,
        });
        return ok(queuedOf(enqueued), 202);
      },
    }),
    endpoint("GET /api/jobs", {
      about: "List jobs, newest first.",
      params: { status: statusParam, context: contextParam, limit: limitParam, offset: offsetParam },
      answers: { 200: { about: "A page of jobs", schema: shapes.jobList } },
      async answer({ params: { status, context, limit, offset } }) {
        const page = await queue.list({ status, context, limit: limit && Math.min(limit, 100), offset });
        return ok({ ...page, jobs: page.jobs.map(rowOf) });
      },
    }),
    endpoint("GET /api/jobs/{id}", {
      about: "One job, with what it planned and did.",
      answers: {
        200: { about: "The job", schema: shapes.job },
        404: { about: "No such job", schema: shapes.refusal },
      },
      async answer({ id }) {
        const [found, details] = await Promise.all([queue.get(id), queue.details(id)]);
        if (found === undefined) throw noSuchJob(id);
        return ok({ ...rowOf(found), details: details ?? null });
      },
    }),
    endpoint("DELETE /api/jobs/{id}", {
      about: "Cancel a pending job.",
      answers: {
        200: { about: "Cancelled", schema: shapes.cancelled },
        400: { about: "The job is not pending", schema: shapes.notCancelled },
        404: { about: "No such job", schema: shapes.refusal },
      },
      async answer({ id }) {
        const cancelled = await queue.cancel(id);
        if (cancelled.kind === "not found") throw noSuchJob(id);
        if (cancelled.kind === "cancelled")
          return ok({ job_id: id, status: "cancelled", message: "Job cancelled successfully" });
        const why = `Cannot cancel job in status: ${cancelled.status}`;
        return ok({ error: why, message: why }, 400);
      },
    }),
  ];
}

function reportEndpoints({ rules, reports }: EndpointParts): Endpoint[] {
  const rulesAnswer = { 200: { about: "The rules", schema: shapes.rules } };
  return [
    endpoint("GET /api/health", {
      about:
        "Whether everything is as it should be; what is wrong with the rules only for who shows a key. Not for liveness probes: see /livez.",
      isOpen: true,
      answers: {
        200: { about: "Healthy", schema: shapes.health },
        503: { about: "Unhealthy; errors says why", schema: shapes.health },
      },
      async answer({ isKnown }) {
        const { ok: isHealthy, body } = await reports.health(isKnown);
        return ok(body, isHealthy ? 200 : 503);
      },
    }),
    endpoint("GET /api/stats", {
      about: "Counts and times.",
      answers: { 200: { about: "Statistics", schema: shapes.stats } },
      answer: async () => ok(await reports.stats()),
    }),
    endpoint("GET /api/version", {
      about: "Versions, of this and of qBittorrent's Web API.",
      isOpen: true,
      answers: { 200: { about: "Versions", schema: shapes.version } },
      answer: async () => ok(await reports.version()),
    }),
    endpoint("GET /api/rules", {
      about: "The rules in force, what is wrong with the file, and how often each rule matched.",
      answers: rulesAnswer,
      answer: async () => ok(await reports.rules()),
    }),
    endpoint("POST /api/rules/reload", {
      about: "Read the rules file now.",
      answers: rulesAnswer,
      async answer() {
        await rules.look({ force: true });
        return ok(await reports.rules());
      },
    }),
  ];
}

function noSuchJob(id: string): ApiError {
  return new ApiError(404, `Job not found: ${id}`);
}
