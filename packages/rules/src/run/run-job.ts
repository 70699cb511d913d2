import { compareVersions, torrentId, type Torrent } from "@qbit-sidecars/qbit-client";
import type { Rule, Ruleset } from "../compile/rule.ts";
import { explainRules, type RuleExplanation } from "../plan/explain.ts";
import { assemble, rulesFor } from "../plan/plan.ts";
import type { TorrentPlan } from "../plan/plan-torrent.ts";
import type { Change, Held } from "../plan/change.ts";
import { isRemoval } from "../plan/operation.ts";
import { guardAgain, isShortList } from "../plan/safety-guard.ts";
import { needsLibrary, settleSharedFiles } from "../plan/shared-data.ts";
import type { LibraryIndex } from "../plan/library-index.ts";
import type { Subject, World } from "../plan/subject.ts";
import { SlowMatches } from "../regex/slow-matches.ts";
import { apply, type Done } from "./apply.ts";
import { Fetcher } from "./fetch-wanted.ts";
import { nodeOutside } from "./node-outside.ts";
import type { Outside, RulesQbittorrent } from "./seams.ts";
import type { OutsideSettings } from "./send-outside.ts";
import { Survey, type SurveyOptions } from "./survey.ts";

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
  /**
   * Whether a rule has told of a torrent before (`notify`, by the audit entries of earlier runs), so that it does not
   * tell again. Default: nobody remembers.
   */
  wasTold?: ((rule: string, hash: string) => boolean) | undefined;
  /** For patterns with look-around or back-references: each, for the whole run. Default 500 ms. */
  slowPatternBudgetMs?: number;
  /** Told of changes as they are made, each time before more are: an account that a crash does not lose. */
  onDone?: (entries: readonly AuditEntry[]) => Promise<void>;
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
  /** How many torrents each rule matched, by its name; rules that matched none are left out. */
  readonly matches: Readonly<Record<string, number>>;
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
/** A webhook can be faster than qBittorrent's own list. */
const notListed = "qBittorrent does not know it (yet)";

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
  const world: World = {
    now: options.now ?? Date.now(),
    wasTold: options.wasTold,
    slowMatches: new SlowMatches(options.slowPatternBudgetMs ?? 500),
  };
  const traced = job.trace === true ? mostTraced : 0;
  const fetcher = new Fetcher(qbittorrent, { webApi, world, signal });
  const survey = await surveyAll({ rules, safety: ruleset.safety, world, traced, ids }, options);
  await survey.finish(fetcher);
  const { plans, unsettled } = survey;
  const facts = {
    total: isWhole ? survey.total : undefined,
    lastTotal: options.lastTotal,
    unsettled,
    apart: job.hashes !== undefined,
  };
  const plan = assemble(ruleset, plans, facts);
  const { changes, held } = await settled(plan.changes, { survey, fetcher, world, job, options });
  const trace = job.trace === true ? await traceOf(rules, survey.toTrace, { fetcher, ruleset }) : undefined;
  const done = job.dryRun === true ? undefined : await applyAll(changes, options);
  return {
    counters: count(survey, changes, done),
    matches: Object.fromEntries(survey.matches),
    torrents: job.hashes === undefined ? [] : plans,
    entries: done === undefined ? changes.map((change) => entryOf(change)) : done.map(entryOfDone),
    held: [...plan.held, ...held],
    notReady: [
      ...plans.filter(({ notReady }) => notReady.length > 0).map(toNotReady),
      ...survey.missing.map((hash) => ({ hash, reasons: [notListed] })),
    ],
    unsupported,
    failed: plans.flatMap(({ hash: id, name, failed }) =>
      failed.map((reason) => ({ hash: id, name, reason })),
    ),
    ...(trace !== undefined && { trace }),
  };
}

/** Reads the list, of all torrents or of some, and plans what needs no more than that. */
async function surveyAll(surveying: SurveyOptions, { qbittorrent, signal }: JobOptions): Promise<Survey> {
  let survey = new Survey(surveying);
  const begin = () => {
    survey = new Survey(surveying);
    return (torrent: Torrent) => survey.take(torrent);
  };
  await qbittorrent.each(surveying.ids === undefined ? {} : { hashes: surveying.ids }, begin, signal);
  return survey;
}

/**
 * The last look before something is removed, by what qBittorrent lists at this moment: whether it still may be, and
 * whether its data goes with it. Fetching for the plan may have taken minutes.
 */
async function settled(
  changes: readonly Change[],
  { survey, fetcher, world, job, options }: Settling,
): Promise<{ changes: readonly Change[]; held: readonly Held[] }> {
  if (!changes.some(({ operation }) => isRemoval(operation))) return { changes, held: [] };
  const { safety } = options.ruleset;
  const needed = needsLibrary(changes);
  if (job.dryRun === true)
    return { changes: needed ? share(changes, await fetcher.library()) : changes, held: [] };
  const seen = await fetcher.lookAgain([...survey.deleted.keys()], { atAll: needed });
  const guarded = guardAgain(changes, seen.torrents, { safety, world });
  return { changes: needed ? share(guarded.changes, seen.library) : guarded.changes, held: guarded.held };

  function share(wanted: readonly Change[], library: LibraryIndex): readonly Change[] {
    const believed = isShortList(library.size, options.lastTotal) ? undefined : library;
    return settleSharedFiles(wanted, believed, survey.deleted);
  }
}

type Settling = { survey: Survey; fetcher: Fetcher; world: World; job: Job; options: JobOptions };

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

async function applyAll(changes: readonly Change[], options: JobOptions): Promise<Done[]> {
  const { qbittorrent, outside = nodeOutside, outsideSettings = {}, ruleset, signal } = options;
  const exportTo = ruleset.safety.exportTorrentsTo;
  const onDone = async (done: readonly Done[]) => await options.onDone?.(done.map(entryOfDone));
  return await apply(changes, { qbittorrent, outside, settings: outsideSettings, exportTo, onDone, signal });
}

function count(
  { tally, total }: Survey,
  changes: readonly Change[],
  done: readonly Done[] | undefined,
): JobCounters {
  const errors = done?.filter(({ error }) => error !== undefined).length ?? 0;
  return {
    total_torrents: total,
    torrents_processed: tally.processed,
    torrents_evaluated: tally.evaluated,
    torrents_stopped: tally.stopped,
    rules_matched: tally.matched,
    actions_executed: done === undefined ? 0 : done.length - errors,
    actions_skipped: done === undefined ? tally.skipped + changes.length : tally.skipped,
    errors,
    condition_errors: tally.failed,
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

function entryOfDone({ change, error }: Done): AuditEntry {
  return entryOf(change, error ?? null);
}

function toNotReady({ hash, name, notReady }: TorrentPlan): NotReady {
  return { hash, name, reasons: notReady };
}

async function traceOf(
  rules: readonly Rule[],
  subjects: readonly Subject[],
  { fetcher, ruleset: { safety } }: { fetcher: Fetcher; ruleset: Ruleset },
): Promise<JobResult["trace"]> {
  const traced = [];
  for (const subject of subjects) {
    const fetch = async () => await fetcher.fetch([subject]);
    const explained = await explainRules(rules, subject, { safety, fetch });
    traced.push({ hash: subject.actual.hash, name: subject.actual.name, rules: explained });
  }
  return traced;
}
