import { compareVersions, torrentId, type Torrent } from "@qbit-sidecars/qbit-client";
import type { Rule, Ruleset } from "../compile/rule.ts";
import type { Safety } from "../compile/safety.ts";
import { explainRules, type RuleExplanation } from "../plan/explain.ts";
import { assemble, rulesFor } from "../plan/plan.ts";
import type { Change, Held, TorrentPlan } from "../plan/plan-torrent.ts";
import { needsLibrary, settleSharedFiles } from "../plan/safety-guard.ts";
import { Subject, type World } from "../plan/subject.ts";
import { SlowMatches } from "../regex/slow-matches.ts";
import { apply, type Done } from "./apply.ts";
import { Fetcher } from "./fetch-wanted.ts";
import { nodeOutside } from "./node-outside.ts";
import { planAll } from "./plan-all.ts";
import type { Outside, RulesQbittorrent } from "./seams.ts";
import type { OutsideSettings } from "./send-outside.ts";

export type Job = {
  /** Undefined: rules without a context. */
  context?: string | undefined;
  /** 40 or 64 hex digits; undefined: all torrents, unless `hashes` names some. */
  hash?: string | undefined;
  /** The same for several torrents, as if each were a job of its own. */
  hashes?: readonly string[] | undefined;
  /** Plan, and change nothing. */
  dryRun?: boolean | undefined;
  /** Also tell of every rule and condition what it found, for at most 100 torrents. */
  trace?: boolean | undefined;
};

export type JobOptions = {
  ruleset: Ruleset;
  qbittorrent: RulesQbittorrent;
  /** Default: this machine's network and files. */
  outside?: Outside;
  outsideSettings?: OutsideSettings;
  /** Epoch milliseconds. Default: now. */
  now?: number;
  /** `total_torrents` of the run before, to notice a list that lost most of its torrents. */
  lastTotal?: number | undefined;
  /** For patterns with look-around or back-references: each, for the whole run. Default 500 ms. */
  slowPatternBudgetMs?: number;
  signal?: AbortSignal;
};

/** Counters under the names of the rules API. */
export type JobCounters = {
  total_torrents: number;
  /** Torrents that at least one rule matched. */
  torrents_processed: number;
  torrents_evaluated: number;
  /** Torrents at which a rule with stop_on_match ended the run. */
  torrents_stopped: number;
  /** (rule, torrent) pairs. */
  rules_matched: number;
  actions_executed: number;
  actions_skipped: number;
  /** Actions that failed. */
  errors: number;
  /** Conditions nobody could answer: patterns out of time, data that could not be fetched. */
  condition_errors: number;
  dry_run: boolean;
};

/** What happened, or would happen, to one torrent. */
export type AuditEntry = Pick<
  Change,
  "hash" | "name" | "rule" | "action" | "before" | "after" | "because"
> & {
  readonly result: "planned" | "done" | "failed";
  readonly error?: string;
};

export type NotReady = { readonly hash: string; readonly name?: string; readonly reasons: readonly string[] };

export type JobResult = {
  readonly counters: JobCounters;
  /** What was found out about each torrent of a job with `hashes`; empty for other jobs. */
  readonly torrents: readonly TorrentPlan[];
  readonly entries: readonly AuditEntry[];
  /** Deletions that a guard held back. */
  readonly held: readonly Held[];
  /** Torrents whose data was not there yet: worth coming back for. */
  readonly notReady: readonly NotReady[];
  /** Rules this qBittorrent is too old for, which were left out. */
  readonly unsupported: readonly { readonly rule: string; readonly reason: string }[];
  readonly failed: readonly { readonly hash: string; readonly name: string; readonly reason: string }[];
  readonly trace?: readonly {
    readonly hash: string;
    readonly name: string;
    readonly rules: readonly RuleExplanation[];
  }[];
};

const mostTraced = 100;

/**
 * Runs the rules of one context over one torrent or all of them. Rejects when qBittorrent cannot be read; an
 * action that fails is counted and told of in the result.
 */
export async function runJob(job: Job, options: JobOptions): Promise<JobResult> {
  const { ruleset, qbittorrent, signal } = options;
  const webApi = await qbittorrent.webApi(signal);
  const { rules, unsupported } = supported(rulesFor(ruleset, job.context), webApi);
  const ids = (job.hashes ?? (job.hash === undefined ? undefined : [job.hash]))?.map(torrentId);
  const isWhole = ids === undefined;
  const torrents = await qbittorrent.list(isWhole ? {} : { hashes: ids }, signal);
  const world: World = {
    now: options.now ?? Date.now(),
    slowMatches: new SlowMatches(options.slowPatternBudgetMs ?? 500),
  };
  const fetcher = new Fetcher(qbittorrent, { webApi, world, signal });
  if (isWhole && usesLibrary(rules)) await fetcher.library(torrents);
  const subjects = torrents.map((torrent) => new Subject(torrent, world));
  const plans = await planAll(subjects, { rules, safety: ruleset.safety, fetcher });
  const facts = {
    total: isWhole ? torrents.length : undefined,
    lastTotal: options.lastTotal,
    unsettled: unsettled(torrents),
    apart: job.hashes !== undefined,
  };
  const plan = assemble(ruleset, plans, facts);
  const changes = await withFilesSettled(plan.changes, { torrents, fetcher, isWhole });
  const trace =
    job.trace === true
      ? await traceOf(rules, { subjects, plans, fetcher, safety: ruleset.safety })
      : undefined;
  const done = job.dryRun === true ? undefined : await applyAll(changes, options);
  return {
    counters: count({ torrents, plans, changes, done }),
    torrents: job.hashes === undefined ? [] : plans,
    entries:
      done === undefined
        ? changes.map((change) => entryOf(change))
        : done.map(({ change, error }) => entryOf(change, error ?? null)),
    held: plan.held,
    notReady: [
      ...plans.filter(({ notReady }) => notReady.length > 0).map(toNotReady),
      ...notFound(ids ?? [], torrents),
    ],
    unsupported,
    failed: plans.flatMap(({ hash: id, name, failed }) =>
      failed.map((reason) => ({ hash: id, name, reason })),
    ),
    ...(trace !== undefined && { trace }),
  };
}

/** A field this qBittorrent does not tell would read as "not there", and that satisfies every negative. */
function supported(
  rules: readonly Rule[],
  webApi: string,
): { rules: Rule[]; unsupported: JobResult["unsupported"] } {
  const lacking = (rule: Rule) => rule.needs.find(({ since }) => compareVersions(webApi, since) < 0);
  return {
    rules: rules.filter((rule) => lacking(rule) === undefined),
    unsupported: rules.flatMap((rule) => {
      const lack = lacking(rule);
      if (lack === undefined) return [];
      return [
        {
          rule: rule.name,
          reason: `${lack.what} needs Web API ${lack.since}; this qBittorrent has ${webApi}`,
        },
      ];
    }),
  };
}

function usesLibrary(rules: readonly Rule[]): boolean {
  return rules.some(({ needs }) => needs.some(({ what }) => what === "the field info.cross_seeds"));
}

function unsettled(torrents: readonly Torrent[]): number {
  return torrents.filter(({ state }) => state === "checkingResumeData").length;
}

async function withFilesSettled(
  changes: readonly Change[],
  { torrents, fetcher, isWhole }: { torrents: readonly Torrent[]; fetcher: Fetcher; isWhole: boolean },
): Promise<readonly Change[]> {
  if (!needsLibrary(changes)) return changes;
  const library = await fetcher.library(isWhole ? torrents : undefined);
  return settleSharedFiles(changes, library, new Map(torrents.map((torrent) => [torrent.hash, torrent])));
}

async function applyAll(changes: readonly Change[], options: JobOptions): Promise<Done[]> {
  const { qbittorrent, outside = nodeOutside, outsideSettings = {}, ruleset, signal } = options;
  const exportTo = ruleset.safety.exportTorrentsTo;
  return await apply(changes, { qbittorrent, outside, settings: outsideSettings, exportTo, signal });
}

type Counted = {
  torrents: readonly Torrent[];
  plans: readonly TorrentPlan[];
  changes: readonly Change[];
  done: readonly Done[] | undefined;
};

function count({ torrents, plans, changes, done }: Counted): JobCounters {
  const sum = (of: (plan: TorrentPlan) => number) => plans.reduce((total, plan) => total + of(plan), 0);
  const skipped = sum((plan) => plan.skipped);
  const errors = done?.filter(({ error }) => error !== undefined).length ?? 0;
  return {
    total_torrents: torrents.length,
    torrents_processed: plans.filter(({ matched }) => matched.length > 0).length,
    torrents_evaluated: plans.length,
    torrents_stopped: plans.filter(({ isStopped }) => isStopped).length,
    rules_matched: sum(({ matched }) => matched.length),
    actions_executed: done === undefined ? 0 : done.length - errors,
    actions_skipped: done === undefined ? skipped + changes.length : skipped,
    errors,
    condition_errors: sum(({ failed }) => failed.length),
    dry_run: done === undefined,
  };
}

/** @param error undefined: only planned; `null`: done */
function entryOf(change: Change, error?: string | null): AuditEntry {
  const { hash, name, rule, action, before, after, because } = change;
  const entry = { hash, name, rule, action, before, after, because };
  if (error === undefined) return { ...entry, result: "planned" };
  return error === null ? { ...entry, result: "done" } : { ...entry, result: "failed", error };
}

function toNotReady({ hash, name, notReady }: TorrentPlan): NotReady {
  return { hash, name, reasons: notReady };
}

/** A webhook can be faster than qBittorrent's own list. */
function notFound(ids: readonly string[], torrents: readonly Torrent[]): NotReady[] {
  const found = new Set(torrents.map(({ hash }) => hash));
  return ids
    .filter((id) => !found.has(id))
    .map((hash) => ({ hash, reasons: ["qBittorrent does not know it (yet)"] }));
}

type Traced = {
  subjects: readonly Subject[];
  plans: readonly TorrentPlan[];
  fetcher: Fetcher;
  safety: Safety;
};

async function traceOf(
  rules: readonly Rule[],
  { subjects, plans, fetcher, safety }: Traced,
): Promise<JobResult["trace"]> {
  const matched = new Set(plans.filter((plan) => plan.matched.length > 0).map(({ hash }) => hash));
  const first = subjects.filter(({ isGone }) => !isGone);
  const chosen = first
    .toSorted((a, b) => Number(matched.has(b.actual.hash)) - Number(matched.has(a.actual.hash)))
    .slice(0, mostTraced);
  const traced = [];
  for (const subject of chosen) {
    const explained = await explainRules(rules, subject, {
      safety,
      fetch: async () => await fetcher.fetch([subject]),
    });
    traced.push({ hash: subject.actual.hash, name: subject.actual.name, rules: explained });
  }
  return traced;
}
