import type { Torrent } from "@qbit-sidecars/qbit-client";
import { leavesOf } from "../compile/condition.ts";
import type { Rule } from "../compile/rule.ts";
import type { Safety } from "../compile/safety.ts";
import { LibraryIndex } from "../plan/library-index.ts";
import { isRemoval } from "../plan/operation.ts";
import { planTorrent, type TorrentPlan } from "../plan/plan-torrent.ts";
import { Subject, type World } from "../plan/subject.ts";
import type { Fetcher } from "./fetch-wanted.ts";
import { planAll } from "./plan-all.ts";
import { slimmer } from "./slim-torrent.ts";
import { soundTorrent } from "./sound-torrent.ts";

export type SurveyOptions = {
  readonly rules: readonly Rule[];
  readonly safety: Safety;
  readonly world: World;
  /** The torrents that were asked for, each to be told of; undefined: all there are. */
  readonly ids: readonly string[] | undefined;
  /** How many torrents to keep for explaining; those that a rule matched first. */
  readonly traced: number;
};

/** A torrent that waits for data, with its place in the list. */
type Open = { readonly at: number; readonly torrent: Torrent };

/** How many torrents are worked on at once when data has to be fetched: bounds what is held of trackers and files. */
const openAtOnce = 500;

/**
 * Plans torrents while their list still arrives, and holds on only to those there is something to tell of: a run
 * over 50,000 torrents is not to hold 50,000. Those that need more data are planned afterwards, some at a time.
 */
export class Survey {
  /** What became of all torrents, added up. */
  readonly tally = { evaluated: 0, processed: 0, stopped: 0, matched: 0, skipped: 0, failed: 0 };
  /** How many torrents each rule matched, by its name. */
  readonly matches = new Map<string, number>();
  total = 0;
  /** Torrents whose state qBittorrent is still finding out. */
  unsettled = 0;
  /** Torrents that something removes. */
  readonly deleted = new Map<string, Torrent>();
  readonly #options: SurveyOptions;
  readonly #slim: (torrent: Torrent) => Torrent;
  readonly #library: LibraryIndex | undefined;
  readonly #missing: Set<string>;
  readonly #open: Open[] = [];
  readonly #told: { at: number; plan: TorrentPlan }[] = [];
  readonly #matching: Subject[] = [];
  readonly #others: Subject[] = [];

  constructor(options: SurveyOptions) {
    this.#options = options;
    this.#slim = slimmer(options.rules);
    this.#missing = new Set(options.ids);
    // All torrents come, so who shares data with whom can be noted on the way.
    if (options.ids === undefined && options.rules.some(usesLibrary)) this.#library = new LibraryIndex();
  }

  /** One more torrent of the list. */
  take(listed: Torrent): void {
    const torrent = soundTorrent(listed);
    const { rules, safety, world } = this.#options;
    const at = this.total;
    this.total += 1;
    if (torrent.state === "checkingResumeData") this.unsettled += 1;
    this.#library?.add(torrent);
    this.#missing.delete(torrent.hash);
    const subject = new Subject(torrent, world);
    const plan = planTorrent(rules, subject, { safety });
    if (plan === undefined) this.#open.push({ at, torrent: this.#slim(torrent) });
    else this.#collect(at, subject, plan);
  }

  /** The list is whole: plans the torrents that had to wait for data. */
  async finish(fetcher: Fetcher): Promise<void> {
    if (this.#library !== undefined) this.#options.world.library = this.#library;
    while (this.#open.length > 0) await this.#finishSome(this.#open.splice(0, openAtOnce), fetcher);
  }

  async #finishSome(open: readonly Open[], fetcher: Fetcher): Promise<void> {
    const { rules, safety, world } = this.#options;
    const subjects = new Map(open.map(({ at, torrent }) => [new Subject(torrent, world), at]));
    const plans = await planAll([...subjects.keys()], { rules, safety, fetcher });
    for (const [subject, plan] of plans) this.#collect(subjects.get(subject) ?? 0, subject, plan);
  }

  /** Plans there is something to tell of, in the order of the list. */
  get plans(): TorrentPlan[] {
    return this.#told.toSorted((a, b) => a.at - b.at).map(({ plan }) => plan);
  }

  /** Those that were asked for and are not in the list. */
  get missing(): string[] {
    return [...this.#missing];
  }

  get toTrace(): Subject[] {
    return [...this.#matching, ...this.#others].slice(0, this.#options.traced);
  }

  #collect(at: number, subject: Subject, plan: TorrentPlan): void {
    const { tally } = this;
    const { changes, held, matched, notReady, failed } = plan;
    tally.evaluated += 1;
    tally.matched += matched.length;
    tally.skipped += plan.skipped;
    tally.failed += failed.length;
    for (const rule of matched) this.matches.set(rule, (this.matches.get(rule) ?? 0) + 1);
    if (matched.length > 0) tally.processed += 1;
    if (plan.isStopped) tally.stopped += 1;
    const hasSomething = changes.length + held.length + notReady.length + failed.length > 0;
    if (hasSomething || this.#options.ids !== undefined) this.#told.push({ at, plan });
    if (changes.some(({ operation }) => isRemoval(operation)))
      this.deleted.set(plan.hash, this.#slim(subject.actual));
    const traced = matched.length > 0 ? this.#matching : this.#others;
    if (traced.length < this.#options.traced) traced.push(subject);
  }
}

function usesLibrary({ condition, actions }: Rule): boolean {
  return (
    leavesOf(condition).some(({ field }) => field.source === "library") ||
    actions.some(
      ({ action, params, needs }) =>
        needs.includes("library") ||
        (action.name === "delete_torrent" && params.deleteFiles("delete_files") === "if_unshared"),
    )
  );
}
