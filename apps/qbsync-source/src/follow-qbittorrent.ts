import { type MaindataChange, QbitNotFoundError, type Torrent } from "@qbit-sidecars/qbit-client";
import { PieceSet } from "@qbit-sidecars/qbsync-protocol/layout";
import type { Clock } from "@qbit-sidecars/service";
import { allPieces, TrackedTorrent } from "./tracked-torrent.ts";

/** qBittorrent as this file needs it. */
export type Watched = {
  /** How often it looks itself. */
  readonly nextPollMs: number;
  poll(options: { signal: AbortSignal }): Promise<MaindataChange>;
  pieceStates(id: string, signal: AbortSignal): Promise<readonly number[]>;
};

type FollowOptions = {
  watched: Watched;
  /** Shared with whoever sends them. */
  torrents: Map<string, TrackedTorrent>;
  clock: Clock;
  /** Pieces are there to be sent. */
  onPieces: () => void;
  /** A torrent came, went, or is not what it was. */
  onChange: () => void;
};

/** Requests for pieces at the same time. */
const askAtOnce = 4;

/** After a restart qBittorrent 5.1 answers before it has loaded its torrents: those are not gone. */
const loadingMs = 300_000;

/** Torrents that people add all the time are no loading without end. */
const loadingAtMostMs = 3_600_000;

/** Nothing is worth asking for more seldom. */
const idlePollMs = 2000;

/**
 * Keeps the list of torrents, and what is here of each, as qBittorrent has them. One request tells what has changed;
 * pieces are asked for only of those that have more data than before. So idle torrents cost nothing.
 */
export class QbittorrentFollower {
  readonly #options: FollowOptions;
  #nextAt = 0;
  /** Since when the list is whole, as far as can be told; later than now while it may still be loading. */
  #listedSince = Number.POSITIVE_INFINITY;
  #loadedAt = Number.POSITIVE_INFINITY;
  #loadedAtMost = Number.POSITIVE_INFINITY;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** How long qBittorrent's list has been whole, in milliseconds; 0 after a restart of it or of this program. */
  get listedForMs(): number {
    return Math.max(0, this.#options.clock.monotonic() - this.#listedSince);
  }

  /** Whether everything qBittorrent has must have been listed by now. */
  get isLoaded(): boolean {
    return this.#options.clock.monotonic() >= this.#loadedAt;
  }

  /** Something is expected: the next step asks, however little happens. */
  hurry(): void {
    this.#nextAt = 0;
  }

  /** Asks what has changed; while nothing is downloading, not at every step. */
  async step(signal: AbortSignal): Promise<void> {
    const { watched, torrents, clock } = this.#options;
    if (clock.monotonic() < this.#nextAt) return;
    const change = await watched.poll({ signal });
    this.#takeListing(change);
    const isNews = this.#takeChange(change);
    if (isNews) this.#options.onChange();
    const grown = [...torrents.values()].filter((tracked) => hasGrown(tracked));
    await inParallel(grown, askAtOnce, (tracked) => this.#askPieces(tracked, signal));
    if (grown.length > 0) this.#options.onPieces();
    const isBusy = [...torrents.values()].some(
      ({ isLive, isFinished, goneSince }) => isLive && !isFinished && goneSince === undefined,
    );
    this.#nextAt = isBusy ? 0 : clock.monotonic() + Math.min(watched.nextPollMs, idlePollMs);
  }

  /** A full answer is that of a qBittorrent that may have been restarted, and what it adds after that is still loading. */
  #takeListing({ full, added, removed }: MaindataChange): void {
    const now = this.#options.clock.monotonic();
    if (full) {
      this.#loadedAt = now + loadingMs;
      this.#loadedAtMost = now + loadingAtMostMs;
      this.#listedSince = removed.length > 0 ? this.#loadedAt : now;
    } else if (added.length > 0 && !this.isLoaded) {
      this.#listedSince = now;
      // A slow disk: as long as more comes it is not over.
      this.#loadedAt = Math.min(now + loadingMs, this.#loadedAtMost);
    }
  }

  #takeChange({ added, changed, removed, full }: MaindataChange): boolean {
    const { torrents, clock } = this.#options;
    let isNews = false;
    for (const torrent of [...added, ...changed.map((one) => one.torrent)]) {
      const tracked = torrents.get(torrent.hash);
      if (tracked !== undefined) {
        isNews = tracked.goneSince !== undefined || isNews;
        tracked.see(torrent);
      } else if (hasMetadata(torrent)) {
        torrents.set(torrent.hash, new TrackedTorrent(torrent));
        isNews = true;
      }
    }
    for (const { torrent, before } of changed) {
      const tracked = torrents.get(torrent.hash);
      if (tracked !== undefined) isNews = takeDifference(tracked, before) || isNews;
    }
    for (const torrent of removed) {
      const tracked = torrents.get(torrent.hash);
      if (tracked !== undefined) tracked.goneSince ??= clock.monotonic() + (full ? loadingMs : 0);
    }
    return isNews || removed.length > 0;
  }

  async #askPieces(tracked: TrackedTorrent, signal: AbortSignal): Promise<void> {
    const { progress, torrent } = tracked;
    if (progress === undefined) return;
    const { completed, state } = torrent;
    if (tracked.isCompleteHere) {
      // All that is wanted; the destination wants nothing else.
      progress.setAvailable(allPieces(progress.pieceCount));
    } else {
      const states = await this.#options.watched.pieceStates(tracked.id, signal).catch((error: unknown) => {
        if (error instanceof QbitNotFoundError) return [];
        throw error;
      });
      if (states.length !== progress.pieceCount) return;
      const available = new PieceSet(progress.pieceCount);
      for (const [piece, value] of states.entries()) if (value === 2) available.add(piece);
      progress.setAvailable(available);
    }
    tracked.piecesSeenAt = { completed, state };
  }
}

function takeDifference(tracked: TrackedTorrent, before: Partial<Torrent>): boolean {
  // While it downloads, the wanted size changes with the selection; the others are told to the destination or say
  // where the data is.
  const told = ["size", "save_path", "content_path", "download_path", "category", "name"];
  const isDescribedAnew = told.some((field) => field in before);
  if (isDescribedAnew) tracked.isStale = true;
  return isDescribedAnew || "state" in before || "tags" in before || "progress" in before;
}

function hasMetadata({ has_metadata, state, total_size }: Torrent): boolean {
  return has_metadata !== false && state !== "metaDL" && state !== "forcedMetaDL" && total_size > 0;
}

function hasGrown({ progress, torrent, piecesSeenAt, isFinished, goneSince }: TrackedTorrent): boolean {
  if (progress === undefined || isFinished || goneSince !== undefined) return false;
  return piecesSeenAt?.completed !== torrent.completed || piecesSeenAt.state !== torrent.state;
}

/** Runs `work` for each item, so many at a time. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
