import { isComplete, tagsOf, type Torrent } from "@qbit-sidecars/qbit-client";
import { Phase, type TorrentState } from "@qbit-sidecars/qbsync-protocol";
import { PieceSet } from "@qbit-sidecars/qbsync-protocol/layout";
import type { Described } from "./describe-torrent.ts";
import { PieceProgress } from "./piece-progress.ts";
import type { TorrentData } from "./read-piece.ts";
import { SeedingTime } from "./seeding-time.ts";

/** Tags with a meaning; "" where there is none. */
export type Tags = { synced: string; syncFailed: string; excludeSync: string };

/** A piece that the destination refused this often is not sent again by itself. */
const mostStrikes = 5;

/** So long a tag that was put on may take to be seen in qBittorrent. */
const tagSeenWithinMs = 5000;

const downloading: ReadonlySet<string> = new Set(["downloading", "stalledDL", "forcedDL", "allocating"]);

/** qBittorrent rewrites or moves the data, or has lost it. */
const unreadable: ReadonlySet<string> = new Set([
  "moving",
  "checkingDL",
  "checkingUP",
  "checkingResumeData",
  "missingFiles",
  "error",
]);

/** One torrent on its way, as this side knows it. Everything in it can be found out again after a restart. */
export class TrackedTorrent {
  readonly id: string;
  /** The store's own object: always current. */
  #torrent: Torrent;
  /** Downloading, or finished while we watched. */
  isLive = false;
  described: Described | undefined;
  /** What was described may not hold any more. */
  isStale = false;
  /** When it was described (monotonic). */
  describedAt = Number.NEGATIVE_INFINITY;
  data: TorrentData | undefined;
  progress: PieceProgress | undefined;
  /** The destination, as it is connected now, takes pieces of it. */
  isOpen = false;
  /** It was open and the destination told it to wait: to be opened again, when fewer pieces may be needed. */
  isPaused = false;
  /** Complete at the destination. */
  isFinished = false;
  /** The pieces that the destination had when it was finished there: those that were selected then. */
  finishedPieces: PieceSet | undefined;
  /** The destination said so since our tag was last missing: the tag may be put on. */
  isSureThere = false;
  /** The destination knows it and has its .torrent. */
  isKnownThere = false;
  /** Why it cannot be synced until a person does something. */
  failure: string | undefined;
  /** The failure is the destination's, which may get over it by itself: when it is asked next (monotonic). */
  askAgainAt: number | undefined;
  /** The destination failed at something; it is to be asked how it is. */
  isInDoubt = false;
  /** When a tag of ours was last put on, by tag (monotonic). */
  readonly taggedAt = new Map<string, number>();
  /** Why nothing happens now, and until when (monotonic). */
  hold: { reason: string; until: number } | undefined;
  /** What the log has of why it waits, until something is done with it again. */
  readonly told = new Set<string>();
  /** Since when qBittorrent does not list it any more (monotonic). */
  goneSince: number | undefined;
  /** Refusals by the destination, by piece. */
  readonly #strikes = new Map<number, number>();
  failedFinalizations = 0;
  readonly seedingTime = new SeedingTime();
  /** When pieces were last asked for, and what `completed` was. */
  piecesSeenAt: { completed: number; state: string } | undefined;

  constructor(torrent: Torrent) {
    this.id = torrent.hash;
    this.#torrent = torrent;
    this.see(torrent);
  }

  get torrent(): Torrent {
    return this.#torrent;
  }

  /** Takes what qBittorrent tells of it. */
  see(torrent: Torrent): void {
    this.#torrent = torrent;
    this.goneSince = undefined;
    if (downloading.has(torrent.state)) this.isLive = true;
  }

  get isCompleteHere(): boolean {
    return this.torrent.progress === 1 && isComplete(this.torrent.state);
  }

  /** Whether a tag of ours is to be put on: not while qBittorrent may not have told of it yet. */
  lacksTag(tag: string, now: number): boolean {
    const age = now - (this.taggedAt.get(tag) ?? Number.NEGATIVE_INFINITY);
    return tag !== "" && !this.hasTag(tag) && age > tagSeenWithinMs;
  }

  hasTag(tag: string): boolean {
    return tag !== "" && tagsOf(this.torrent).includes(tag);
  }

  /** Undefined when its pieces may be sent, else why not. */
  obstacle(tags: Tags, now: number): string | undefined {
    return this.isFinished ? "synced" : this.hindrance(tags, now);
  }

  /** Undefined when the destination may be asked about it, else why not. */
  hindrance(tags: Tags, now: number): string | undefined {
    if (this.goneSince !== undefined) return "gone from qBittorrent";
    if (this.hasTag(tags.excludeSync)) return `tagged ${tags.excludeSync}`;
    if (this.failure !== undefined) return this.failure;
    if (this.hasTag(tags.syncFailed)) return `tagged ${tags.syncFailed}`;
    if (unreadable.has(this.torrent.state)) return `${this.torrent.state} in qBittorrent`;
    if (this.hold !== undefined && this.hold.until > now) return this.hold.reason;
    return undefined;
  }

  take(described: Described, folders: readonly string[], now: number): void {
    const { layout, names } = described;
    this.describedAt = now;
    if (this.progress?.pieceCount !== layout.pieceCount) this.progress = new PieceProgress(layout.pieceCount);
    this.described = described;
    this.data = { layout, names, folders };
    this.isStale = false;
    if (this.isCompleteHere) this.progress.setAvailable(allPieces(layout.pieceCount));
    else this.piecesSeenAt = undefined;
  }

  /** What the destination said. @returns whether it was about the torrent as it is described here */
  hear(state: TorrentState): boolean {
    this.isInDoubt = false;
    this.isKnownThere = state.phase !== Phase.UNKNOWN;
    this.isFinished = state.phase === Phase.FINISHED;
    if (this.isFinished) this.finishedPieces = PieceSet.fromBytes(state.durable, state.pieceCount);
    const { described, progress } = this;
    const isSame = described !== undefined && described.digest.equals(state.descriptionDigest);
    this.isOpen = isSame && isWelcome(state.phase);
    this.isPaused = isSame && state.phase === Phase.PAUSED;
    if ((this.isOpen || this.isPaused) && progress !== undefined && state.pieceCount === progress.pieceCount)
      progress.setNeeded(PieceSet.fromBytes(state.needed, progress.pieceCount));
    return isSame;
  }

  /**
   * Whether the destination has the pieces of all that is selected here now. It may have been finished with another
   * selection: while this program was not running, nobody told it of a new one.
   */
  isThere(wanted: readonly (readonly [first: number, last: number])[]): boolean {
    const { finishedPieces } = this;
    if (!this.isFinished || finishedPieces === undefined) return this.isFinished;
    for (const [first, last] of wanted)
      for (let piece = first; piece <= last; piece += 1) if (!finishedPieces.has(piece)) return false;
    return true;
  }

  /** The destination takes no pieces of it now. */
  pause(): void {
    this.isPaused ||= this.isOpen;
    this.isOpen = false;
  }

  /** The destination refused a piece. @returns whether that was once too often */
  strike(piece: number, detail: string): boolean {
    const strikes = (this.#strikes.get(piece) ?? 0) + 1;
    this.#strikes.set(piece, strikes);
    if (strikes < mostStrikes) return false;
    this.failure = `the destination refused piece ${piece} ${strikes} times: ${detail}`;
    return true;
  }

  /** A person took the tag off, or the destination got over it: everything is tried again. */
  forgive(): void {
    this.failure = undefined;
    this.askAgainAt = undefined;
    this.taggedAt.clear();
    this.failedFinalizations = 0;
    this.isOpen = false;
    this.hold = undefined;
    this.#strikes.clear();
  }
}

function isWelcome(phase: number): boolean {
  return phase === Phase.RECEIVING || phase === Phase.COMPLETE || phase === Phase.FINALIZING;
}

export function allPieces(count: number): PieceSet {
  const pieces = new PieceSet(count);
  for (let piece = 0; piece < count; piece += 1) pieces.add(piece);
  return pieces;
}
