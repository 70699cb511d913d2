import { isComplete, type Torrent } from "@qbit-sidecars/qbit-client";
import { type Download, downloadOf } from "./download.ts";

/** A torrent that is watched until it is complete or gone. All of it is kept across restarts. */
export type Tracked = {
  /** What a hook said: torrent id, v1 or v2 infohash. The torrent's id once it was seen. */
  ref: string;
  /** Wall clock, ms: when tracking began. */
  sinceMs: number;
  /** As last seen; undefined until then. */
  download?: Download;
  /** It was seen with data missing, so its completion is a download's. */
  incomplete: boolean;
  /** A notice of its being added is due. */
  fresh: boolean;
  /** The last step of progress told: there may be a card on the phone. */
  card?: number;
  cardAtMs: number;
  toldError: boolean;
  toldStalled: boolean;
  /** Where its cards are, once there can be one. */
  topic?: string;
  /** Bytes left when last it moved, and when that was. */
  left: number;
  movedAtMs: number;
  /** Since when qBittorrent does not list it. */
  missingSinceMs?: number;
  /** Its finished hook was heard: completion is expected until then, and looked for more often. */
  expectedUntilMs?: number;
};

/** Something worth telling, or not: that is for the planning to decide. */
export type DownloadEvent = { download: Download } & (
  | { kind: "added" | "progress" | "stalled" | "moving-again" | "error" | "recovered" }
  /** `carded`: progress was told, and its card has to go. */
  | { kind: "completed" | "removed" | "dropped"; carded: boolean }
  /** It belongs to another topic now, or to none: its cards on this one have to go. */
  | { kind: "left"; topic: string; cards: readonly Card[] }
);

/** A torrent's cards that are taken off the phone again. */
type Card = "progress" | "error" | "stalled";

export type FollowRules = {
  nowMs: number;
  /** Where a torrent is told of; undefined where it is not wanted. */
  topicOf: (download: Download) => string | undefined;
  /** Tell progress at each so many percent; undefined: never. */
  step: number | undefined;
  /** Without cards in place each update is one more notification: 0 % is left out. */
  inPlace: boolean;
  progressIntervalMs: number;
  /** Another torrent may get a progress card. */
  cardFree: boolean;
  stalledAfterMs: number;
  /** Whether a completion of a torrent that was never seen incomplete is news. */
  isNews: (torrent: Torrent) => boolean;
};

/** `next` is undefined when the torrent needs no watching any more. */
export type Followed = { next: Tracked | undefined; events: DownloadEvent[] };

/** qBittorrent lists its torrents little by little when it starts, and a hook may be faster than its list. */
export const missingGraceMs = 60_000;

/** Checking and moving say nothing of a download: progress is the check's, and files are not yet where they belong. */
const unsettled: ReadonlySet<string> = new Set([
  "checkingUP",
  "checkingDL",
  "checkingResumeData",
  "moving",
  "allocating",
  "unknown",
]);

const active: ReadonlySet<string> = new Set(["downloading", "forcedDL", "stalledDL"]);
const magnet: ReadonlySet<string> = new Set(["metaDL", "forcedMetaDL"]);

export function newlyTracked(ref: string, { nowMs, fresh }: { nowMs: number; fresh: boolean }): Tracked {
  return {
    ref,
    sinceMs: nowMs,
    incomplete: false,
    fresh,
    cardAtMs: 0,
    toldError: false,
    toldStalled: false,
    left: -1,
    movedAtMs: nowMs,
  };
}

/** Compares a tracked torrent with what qBittorrent says of it now. Pure. */
export function followDownload(tracked: Tracked, torrent: Torrent | undefined, rules: FollowRules): Followed {
  if (torrent === undefined) return followMissing(tracked, rules.nowMs);
  const { missingSinceMs: _, ...present } = tracked;
  const next: Tracked = { ...present, ref: torrent.hash, download: downloadOf(torrent) };
  const events = followTopic(next, rules);
  if (unsettled.has(torrent.state)) return { next, events };
  if (isComplete(torrent.state) && torrent.amount_left === 0) {
    return { next: undefined, events: [...events, ...followComplete(next, torrent, rules)] };
  }
  if (next.topic === undefined) {
    next.incomplete ||= !magnet.has(torrent.state) && torrent.amount_left > 0;
    return { next, events };
  }
  const tell = (kind: "added" | "progress" | "stalled" | "moving-again" | "error" | "recovered") =>
    events.push({ kind, download: downloadOf(torrent) });
  if (!magnet.has(torrent.state)) {
    next.incomplete ||= torrent.amount_left > 0;
    if (next.fresh) tell("added");
    next.fresh = false;
  }
  followTrouble(next, torrent, tell);
  followMovement(next, torrent, { rules, tell });
  followProgress(next, torrent, { rules, tell });
  return { next, events };
}

function followMissing(tracked: Tracked, nowMs: number): Followed {
  const missingSinceMs = tracked.missingSinceMs ?? nowMs;
  if (nowMs - missingSinceMs < missingGraceMs) return { next: { ...tracked, missingSinceMs }, events: [] };
  const { download } = tracked;
  if (download === undefined) return { next: undefined, events: [] };
  const removed: DownloadEvent = { kind: "removed", download, carded: tracked.card !== undefined };
  return { next: undefined, events: [...troubleOver(tracked, download), removed] };
}

/** Forgets the cards on a topic that it has left, so that the next one gets its own. */
function followTopic(next: Tracked, { topicOf }: FollowRules): DownloadEvent[] {
  const { topic: before, download } = next;
  const topic = download && topicOf(download);
  if (topic === undefined) delete next.topic;
  else next.topic = topic;
  if (before === undefined || before === topic || download === undefined) return [];
  const cards = [
    ...(next.card === undefined ? [] : (["progress"] as const)),
    ...(next.toldError ? (["error"] as const) : []),
    ...(next.toldStalled ? (["stalled"] as const) : []),
  ];
  delete next.card;
  next.toldError = false;
  next.toldStalled = false;
  return cards.length === 0 ? [] : [{ kind: "left", download, topic: before, cards }];
}

function troubleOver({ toldError, toldStalled }: Tracked, download: Download): DownloadEvent[] {
  return [
    ...(toldError ? [{ kind: "recovered", download } as const] : []),
    ...(toldStalled ? [{ kind: "moving-again", download } as const] : []),
  ];
}

function followComplete(tracked: Tracked, torrent: Torrent, rules: FollowRules): DownloadEvent[] {
  // What was already there (cross-seeds, rechecked data) and what wants no bytes was never downloaded.
  const downloaded = torrent.downloaded > 0;
  const news = downloaded && (tracked.incomplete || rules.isNews(torrent));
  const download = downloadOf(torrent);
  const carded = tracked.card !== undefined;
  return [...troubleOver(tracked, download), { kind: news ? "completed" : "dropped", download, carded }];
}

type Tell = (kind: "added" | "progress" | "stalled" | "moving-again" | "error" | "recovered") => void;
type Telling = { rules: FollowRules; tell: Tell };

function followTrouble(next: Tracked, { state }: Torrent, tell: Tell): void {
  const inTrouble = state === "error" || state === "missingFiles";
  if (inTrouble && !next.toldError) tell("error");
  if (!inTrouble && next.toldError) tell("recovered");
  next.toldError = inTrouble;
}

function followMovement(next: Tracked, torrent: Torrent, { rules, tell }: Telling): void {
  const wantsToMove = active.has(torrent.state) || magnet.has(torrent.state);
  if (!wantsToMove || torrent.amount_left !== next.left) {
    if (next.toldStalled && wantsToMove) {
      tell("moving-again");
      next.toldStalled = false;
    }
    next.left = torrent.amount_left;
    next.movedAtMs = rules.nowMs;
  } else if (!next.toldStalled && rules.nowMs - next.movedAtMs >= rules.stalledAfterMs) {
    tell("stalled");
    next.toldStalled = true;
  }
}

function followProgress(next: Tracked, torrent: Torrent, { rules, tell }: Telling): void {
  const { percent } = downloadOf(torrent);
  // 100 % is told by the completion.
  if (rules.step === undefined || !active.has(torrent.state) || percent >= 100) return;
  const step = Math.floor(percent / rules.step) * rules.step;
  if (step === next.card || (step === 0 && !rules.inPlace)) return;
  // Not "greater than": after a recheck the bar may go back, and must be seen to.
  const due =
    next.card === undefined ? rules.cardFree : rules.nowMs - next.cardAtMs >= rules.progressIntervalMs;
  if (!due) return;
  tell("progress");
  next.card = step;
  next.cardAtMs = rules.nowMs;
}

/** Whether a tracked torrent can be expected to change by itself: those that cannot are asked about ever less often. */
export function isResting({ download, expectedUntilMs, missingSinceMs }: Tracked, nowMs: number): boolean {
  if (download === undefined || missingSinceMs !== undefined || (expectedUntilMs ?? 0) > nowMs) return false;
  return ["error", "missingFiles", "stoppedDL", "stoppedUP"].includes(download.state);
}
