import {
  type Job,
  type Outcome,
  QueueUnavailableError,
  type Run,
  RunLostError,
  type Settlement,
} from "@qbit-sidecars/jobs";
import { QbitError } from "@qbit-sidecars/qbit-client";
import type { AuditEntry, Outside, OutsideSettings, RulesQbittorrent } from "@qbit-sidecars/rules";
import { type Clock, type Logger, messageWithCauses } from "@qbit-sidecars/service";
import { randomUUID } from "node:crypto";
import type { AuditLog, AuditRecord } from "./audit-log.ts";
import { outcomesOf, type Ran } from "./outcomes.ts";
import { mayHeal, needsSomebody, type Patience, putOff } from "./put-off.ts";
import { NoRulesError, type RulesFile } from "./rules-file.ts";
import { runRules, type TorrentNames } from "./run-rules.ts";
import type { Told } from "./told.ts";

export type DoRunOptions = {
  readonly rules: Pick<RulesFile, "current">;
  readonly qbittorrent: RulesQbittorrent;
  readonly names: TorrentNames;
  readonly outside?: Outside | undefined;
  readonly outsideSettings?: OutsideSettings | undefined;
  /** Only plan, whatever the job says. */
  readonly dryRun?: boolean | undefined;
  readonly lastTotal?: number | undefined;
  /** Told of changes as they are made, and of the jobs each is made for. */
  readonly audit: AuditLog;
  /** Remembers whom was told of; undefined: nobody does, and each run tells again. */
  readonly told?: Told | undefined;
  readonly patience: Patience;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the run is to be left where it is. */
  readonly signal: AbortSignal;
};

export type DidRun = {
  readonly settlements: readonly Settlement[];
  /** What the rules came to, where they were run. */
  readonly ran?: Ran;
  /** Why qBittorrent could not be read. */
  readonly qbittorrentFault?: string;
};

/**
 * Runs the rules for a run's jobs and says how each ended. The job's place to catch: rejects only when the run or the
 * queue was lost.
 */
export async function doRun(run: Run, options: DoRunOptions): Promise<DidRun> {
  const impossible = run.jobs.filter(({ hash }) => hash !== null && !isInfohash(hash));
  const jobs = run.jobs.filter((job) => !impossible.includes(job));
  const noSuch = impossible.map(({ id, hash }) => ({ id, outcome: noSuchTorrent(hash ?? "") }));
  if (jobs.length === 0) return { settlements: noSuch };
  const signal = AbortSignal.any([run.signal, options.signal]);
  try {
    const rules = await options.rules.current();
    await options.told?.read();
    const onDone = async (entries: readonly AuditEntry[], idOf: Ran["idOf"]) => {
      const at = new Date(options.clock.now()).toISOString();
      options.told?.note(entries);
      await options.audit.write(recordsOf(entries, run, { at, idOf }));
    };
    const asked = { ...askedOf(run, jobs), dryRun: run.dryRun || options.dryRun === true };
    const ran = await orAborted(runRules(asked, { ...options, rules, signal, onDone }), signal);
    // A write may have found the run lost, and that is told of as a failed action only.
    signal.throwIfAborted();
    return { settlements: [...outcomesOf({ jobs }, ran), ...noSuch], ran };
  } catch (error) {
    if (run.signal.aborted || error instanceof RunLostError || error instanceof QueueUnavailableError)
      throw error;
    if (options.signal.aborted) return { settlements: settleAll(run.jobs, () => ({ kind: "returned" })) };
    const fault = failed(jobs, error, options);
    return { ...fault, settlements: [...fault.settlements, ...noSuch] };
  }
}

function recordsOf(
  entries: readonly AuditEntry[],
  { jobs, context }: Run,
  { at, idOf }: { at: string; idOf: Ran["idOf"] },
): AuditRecord[] {
  return entries.map((entry) => {
    const askers = jobs.filter(({ hash }) => hash === null || idOf(hash) === entry.hash);
    return { at, jobs: askers.map(({ id }) => id), context, ...entry };
  });
}

/** Not `{ ...run }`: a run may be an object of a class. */
function askedOf(run: Run, jobs: readonly Job[]) {
  const { context, trace } = run;
  const hashes = run.hashes === null ? null : [...new Set(jobs.flatMap(({ hash }) => hash ?? []))];
  return { context, trace, hashes, jobs, assertHeld: async () => await run.assertHeld() };
}

/** Whoever does not notice the signal is left behind; what it wants to write later finds the run lost. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    // Also where it is over already: what the work comes to is nobody's then, and must not end the process.
    return await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function isInfohash(hash: string): boolean {
  return hash.length === 40 || hash.length === 64;
}

function noSuchTorrent(hash: string): Outcome {
  const note = `no torrent has the id ${hash}: an infohash has 40 or 64 hex digits`;
  return { kind: "completed", result: { ...nothingDone, note } };
}

const nothingDone = {
  total_torrents: 0,
  torrents_processed: 0,
  torrents_evaluated: 0,
  torrents_stopped: 0,
  rules_matched: 0,
  actions_executed: 0,
  actions_skipped: 0,
  errors: 0,
  condition_errors: 0,
};

function settleAll(jobs: readonly Job[], outcome: (job: Job) => Outcome): Settlement[] {
  return jobs.map((job) => ({ id: job.id, outcome: outcome(job) }));
}

function failed(jobs: readonly Job[], err: unknown, { log, clock, patience }: DoRunOptions): DidRun {
  const message = messageWithCauses(err);
  if (mayHeal(err)) {
    log[needsSomebody(err) ? "error" : "warn"]({ jobs: jobs.length }, message);
    const nowMs = clock.now();
    const settlements = settleAll(jobs, (job) => putOff(job, message, { nowMs, patience }));
    return { qbittorrentFault: message, settlements };
  }
  if (err instanceof QbitError || err instanceof NoRulesError) {
    log.warn({ jobs: jobs.length }, message);
    return {
      settlements: settleAll(jobs, () => ({ kind: "failed", error: message })),
      ...(err instanceof QbitError && { qbittorrentFault: message }),
    };
  }
  const traceId = randomUUID();
  log.error({ err, traceId }, "running the rules");
  const stack = err instanceof Error ? (err.stack ?? "") : "";
  const error = `${message}\ntrace_id: ${traceId}\n${stack}`.trim();
  return { settlements: settleAll(jobs, () => ({ kind: "failed", error })) };
}
