import { isComplete, type MaindataChange, type Torrent } from "@qbit-sidecars/qbit-client";
import {
  type DownloadEvent,
  followDownload,
  type FollowRules,
  isResting,
  newlyTracked,
} from "./follow-downloads.ts";
import type { Ledger } from "./ledger.ts";
import type { NoticePlanner } from "./plan-notices.ts";
import { torrentFinder } from "./resolve-hash.ts";
import { formatBytes } from "./templates.ts";

/** qBittorrent's torrents as they were at the last look; the same object at each look. */
type Torrents = {
  readonly torrents: ReadonlyMap<string, Torrent>;
  /** Of the default save path; `null` while it is not known. */
  readonly freeSpaceBytes: number | null;
  poll(options: { signal?: AbortSignal }): Promise<MaindataChange>;
};

export type WatchOptions = {
  ledger: Ledger;
  torrents: Torrents;
  planner: NoticePlanner;
  now: () => number;
  /** Whether the ntfy server updates in place, as far as it is known. */
  inPlace: () => boolean;
  /** undefined: progress is not told. */
  progressStep: number | undefined;
  progressIntervalMs: number;
  progressCards: number;
  stalledAfterMs: number;
  pollMs: number;
  discover: boolean;
  diskLowBytes: number | undefined;
  onEvent: (event: DownloadEvent) => void;
};

export type TrackOutcome = "started" | "already" | "full";

const mostTracked = 20_000;

/** While a finished hook was heard and qBittorrent does not show it yet. */
const expectedMs = 15_000;
const expectedPollMs = 1000;

/** Torrents that rest are asked about this seldom at last. */
const longestRestMs = 5 * 60_000;
const diskPollMs = 60_000;

/**
 * Watches downloads: one question to qBittorrent for any number of them, and none while nothing is watched. What a hook
 * says only makes it look sooner; what is told follows from what qBittorrent shows.
 */
export class DownloadWatch {
  readonly #options: WatchOptions;
  #scanDue: "start" | "hook" | undefined = "start";
  #restingLooks = 0;
  #looks = 0;
  #upToDate = false;
  /** v1 and v2 infohashes of what is tracked, for an answer to hooks without a question to qBittorrent. */
  #finder: ((ref: string) => Torrent | undefined) | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  get tracked(): number {
    return this.#options.ledger.tracked.size;
  }

  /** The last look succeeded, so that nothing that completed until now was overlooked. */
  get upToDate(): boolean {
    return this.#upToDate;
  }

  /** How many looks were taken at qBittorrent. */
  get looks(): number {
    return this.#looks;
  }

  /** A hook named a torrent. `finished`: it is complete, or will be shown so within seconds. */
  track(ref: string, { finished }: { finished: boolean }): TrackOutcome {
    const { ledger, now } = this.#options;
    const known = ledger.tracked.get(ref) ?? ledger.tracked.get(this.#idOf(ref));
    if (known === undefined && ledger.tracked.size >= mostTracked) return "full";
    const nowMs = now();
    const tracked = known ?? newlyTracked(ref, { nowMs, fresh: !finished });
    ledger.tracked.set(tracked.ref, finished ? { ...tracked, expectedUntilMs: nowMs + expectedMs } : tracked);
    ledger.touch();
    this.#restingLooks = 0;
    return known === undefined ? "started" : "already";
  }

  /** A hook said that there is a new torrent, and not which. */
  scan(): void {
    this.#scanDue ??= "hook";
  }

  /** Milliseconds until the next look; `Infinity` while there is nothing to look for. */
  nextLookMs(): number {
    const { ledger, discover, diskLowBytes, pollMs, now } = this.#options;
    const nowMs = now();
    const all = [...ledger.tracked.values()];
    const alwaysMs = discover ? pollMs : diskLowBytes === undefined ? Infinity : diskPollMs;
    if (this.#scanDue !== undefined) return 0;
    if (all.some(({ expectedUntilMs = 0 }) => expectedUntilMs > nowMs))
      return Math.min(expectedPollMs, pollMs);
    if (all.some((tracked) => !isResting(tracked, nowMs))) return pollMs;
    if (all.length === 0) return alwaysMs;
    const restMs = Math.max(pollMs, Math.min(pollMs * 2 ** this.#restingLooks, longestRestMs));
    return Math.min(restMs, alwaysMs);
  }

  /**
   * Looks at qBittorrent once and puts what is to be told into the outbox.
   *
   * @returns whether there is something new to send
   * @throws when qBittorrent cannot be asked
   */
  async look(signal: AbortSignal): Promise<boolean> {
    const { torrents, ledger } = this.#options;
    if (this.nextLookMs() === Infinity) return false;
    this.#upToDate = false;
    const change = await torrents.poll({ signal });
    this.#looks += 1;
    this.#upToDate = true;
    const before = ledger.outbox.list;
    // From here to the save nothing waits: what happened and its notices are written together or not at all.
    this.#discover(change);
    this.#plan(this.#followAll());
    this.#watchDisk();
    const anyMoves = [...ledger.tracked.values()].some((tracked) => !isResting(tracked, this.#options.now()));
    this.#restingLooks = anyMoves ? 0 : this.#restingLooks + 1;
    const isNew = ledger.outbox.list !== before;
    await ledger.save();
    return isNew;
  }

  #idOf(ref: string): string {
    this.#finder ??= torrentFinder(this.#options.torrents.torrents);
    return this.#finder(ref)?.hash ?? ref;
  }

  #discover({ added }: MaindataChange): void {
    const { torrents, discover } = this.#options;
    const scan = this.#scanDue;
    this.#scanDue = undefined;
    if (scan !== undefined)
      for (const torrent of torrents.torrents.values()) this.#consider(torrent, scan === "hook");
    else if (discover) {
      const isNew = new Set(added);
      for (const torrent of torrents.torrents.values()) this.#consider(torrent, isNew.has(torrent));
    }
  }

  /** Takes up what downloads, and what completed while nobody looked. */
  #consider(torrent: Torrent, fresh: boolean): void {
    const { ledger, now } = this.#options;
    if (ledger.tracked.has(torrent.hash)) return;
    if (isComplete(torrent.state) ? !ledger.isNews(torrent) : torrent.amount_left === 0) return;
    ledger.tracked.set(torrent.hash, newlyTracked(torrent.hash, { nowMs: now(), fresh }));
    ledger.touch();
  }

  #followAll(): DownloadEvent[] {
    const { ledger, torrents } = this.#options;
    this.#finder = torrentFinder(torrents.torrents);
    let cards = [...ledger.tracked.values()].filter(({ card }) => card !== undefined).length;
    const events: DownloadEvent[] = [];
    // Names are made one in between, which must not be followed twice.
    const before = [...ledger.tracked];
    for (const [key, tracked] of before) {
      const torrent = this.#finder(tracked.ref);
      if (torrent !== undefined && torrent.hash !== key && ledger.tracked.has(torrent.hash)) {
        ledger.tracked.delete(key);
        continue;
      }
      const followed = followDownload(tracked, torrent, this.#rules(cards));
      const { next } = followed;
      if (next === undefined || next.ref !== key) ledger.tracked.delete(key);
      if (next !== undefined) ledger.tracked.set(next.ref, next);
      if (tracked.card === undefined && next?.card !== undefined) cards += 1;
      if (next?.ref !== key || next.incomplete !== tracked.incomplete) ledger.touch();
      if (torrent !== undefined && followed.events.some(({ kind }) => kind === "completed"))
        ledger.announce(torrent);
      events.push(...followed.events);
    }
    return events;
  }

  #rules(cards: number): FollowRules {
    const { ledger, planner, now, inPlace, progressStep } = this.#options;
    const { progressIntervalMs, progressCards, stalledAfterMs } = this.#options;
    const canUpdate = inPlace();
    return {
      nowMs: now(),
      topicOf: (download) => planner.topicOf(download),
      // Where each update is one more notification, half-way is the only one.
      step: progressStep === undefined || canUpdate ? progressStep : Math.max(50, progressStep),
      inPlace: canUpdate,
      progressIntervalMs,
      cardFree: cards < progressCards,
      stalledAfterMs,
      isNews: (torrent) => ledger.isNews(torrent),
    };
  }

  #plan(events: readonly DownloadEvent[]): void {
    const { ledger, planner, now, inPlace, onEvent } = this.#options;
    if (events.length === 0) return;
    for (const notice of planner.plan(events, { nowMs: now(), inPlace: inPlace() }))
      ledger.outbox.add(notice);
    ledger.touch();
    for (const event of events) onEvent(event);
  }

  #watchDisk(): void {
    const { ledger, torrents, diskLowBytes, planner, now } = this.#options;
    const free = torrents.freeSpaceBytes;
    if (diskLowBytes === undefined || free === null) return;
    // A tenth more, or a disk at the edge would be told of again and again.
    const low = free < (ledger.diskTold ? diskLowBytes * 1.1 : diskLowBytes);
    if (low === ledger.diskTold) return;
    ledger.diskTold = low;
    ledger.outbox.add(planner.disk(low ? free : undefined, `${formatBytes(free)} are free.`, now()));
    ledger.touch();
  }
}
