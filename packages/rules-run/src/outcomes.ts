import type { Job, JsonObject, Outcome, Run } from "@qbit-sidecars/jobs";
import type { AuditEntry, JobCounters, JobResult, NotReady } from "@qbit-sidecars/rules";
import { sameTorrent } from "./fence.ts";

/** Entries kept with a job; a job about all torrents can have a hundred thousand. */
const mostEntries = 1000;
const mostOthers = 200;

/** What a run of the rules came to, and which rules it was. */
export type Ran = {
  readonly result: JobResult;
  readonly rulesVersion: string;
  /** What a person who asked would want to know of the rules; undefined: nothing. */
  readonly note?: string | undefined;
  /** By the hash a job asked for: the id that torrent really has. */
  readonly idOf: (hash: string) => string;
};

/** How each job of the run ended, seen from its own torrent. */
export function outcomesOf(run: Pick<Run, "jobs">, ran: Ran): { id: string; outcome: Outcome }[] {
  return run.jobs.map((job) => ({ id: job.id, outcome: outcomeOf(job, ran) }));
}

function outcomeOf(job: Job, { result, rulesVersion, note, idOf }: Ran): Outcome {
  const view = job.hash === null ? result : only(result, idOf(job.hash));
  const [torrent] = job.hash === null ? [] : view.torrents;
  const said = {
    result: {
      ...view.counters,
      // Of a dry run, where what was left alone is among the skipped.
      ...(view.counters.dry_run && { actions_planned: view.entries.length }),
      // For people, who know it by its name.
      ...(torrent !== undefined && { torrent_name: torrent.name }),
      rules: view.matches,
      rules_version: rulesVersion,
      ...(note !== undefined && { note }),
    },
    details: toJson(detailsOf(view)),
  };
  const reason = job.hash === null ? undefined : reasonToComeBack(view.notReady);
  return reason === undefined ? { kind: "completed", ...said } : { kind: "not ready", reason, ...said };
}

/** Only a job about one torrent comes back for it; the next run over all torrents sees the others again anyway. */
function reasonToComeBack(notReady: readonly NotReady[]): string | undefined {
  const [first] = notReady;
  return first?.reasons.join("; ");
}

/** The part of a result that is about one torrent. */
function only(result: JobResult, id: string): JobResult {
  const isIt = ({ hash }: { hash: string }) => sameTorrent(hash, id);
  const entries = result.entries.filter(isIt);
  const torrents = result.torrents.filter(isIt);
  return {
    ...result,
    matches: Object.fromEntries(torrents.flatMap(({ matched }) => matched.map((rule) => [rule, 1]))),
    torrents,
    entries,
    held: result.held.filter(isIt),
    notReady: result.notReady.filter(isIt),
    failed: result.failed.filter(isIt),
    counters: countersOf(torrents, entries, result.counters.dry_run),
    ...(result.trace !== undefined && { trace: result.trace.filter(isIt) }),
  };
}

function countersOf(
  torrents: JobResult["torrents"],
  entries: readonly AuditEntry[],
  dryRun: boolean,
): JobCounters {
  const sum = (of: (torrent: JobResult["torrents"][number]) => number) =>
    torrents.reduce((total, torrent) => total + of(torrent), 0);
  const errors = entries.filter(({ result }) => result === "failed").length;
  return {
    total_torrents: torrents.length,
    torrents_processed: torrents.filter(({ matched }) => matched.length > 0).length,
    torrents_evaluated: torrents.length,
    torrents_stopped: torrents.filter(({ isStopped }) => isStopped).length,
    rules_matched: sum(({ matched }) => matched.length),
    actions_executed: dryRun ? 0 : entries.length - errors,
    actions_skipped: sum(({ skipped }) => skipped) + (dryRun ? entries.length : 0),
    errors,
    condition_errors: sum(({ failed }) => failed.length),
    dry_run: dryRun,
  };
}

function detailsOf({ entries, held, notReady, failed, unsupported, trace }: JobResult): object | undefined {
  const lists = { entries, held, not_ready: notReady, failed, unsupported, ...(trace && { trace }) };
  if (Object.values(lists).every(({ length }) => length === 0)) return undefined;
  const isCut = entries.length > mostEntries;
  return {
    ...lists,
    entries: entries.slice(0, mostEntries),
    held: held.slice(0, mostOthers),
    not_ready: notReady.slice(0, mostOthers),
    failed: failed.slice(0, mostOthers),
    ...(isCut && { entries_left_out: entries.length - mostEntries }),
  };
}

/** As it is stored: what JSON has no word for is left out. */
function toJson(value: object | undefined): JsonObject | undefined {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
