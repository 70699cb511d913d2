import { Phase, type TorrentState } from "@qbit-sidecars/qbsync-protocol";
import { type CarryOptions, TorrentCarrier } from "./carry-torrent.ts";
import { inParallel } from "./follow-qbittorrent.ts";
import { type Action, nextAction } from "./plan-sync.ts";
import type { TrackedTorrent } from "./tracked-torrent.ts";

export type SyncOptions = CarryOptions & {
  /** How long a torrent must be gone from qBittorrent before what the destination has of it is dropped. */
  goneForMs: number;
};

const atOnce = 4;

/** Carries each torrent through its stages: described, open at the destination, delivered, finished, tagged. */
export class TorrentSync {
  readonly #options: SyncOptions;
  readonly #carrier: TorrentCarrier;
  #doubtedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#carrier = new TorrentCarrier(options);
  }

  /** Does what can be done now. */
  async step(signal: AbortSignal): Promise<void> {
    const { torrents } = this.#options;
    this.#doubtOne();
    // Live ones first: they are what somebody waits for.
    const order = [...torrents.values()].toSorted((a, b) => Number(b.isLive) - Number(a.isLive));
    await inParallel(order, atOnce, async (tracked) => {
      // Each action makes the next one possible; three lead from unknown to open or from delivered to tagged.
      for (let steps = 0; steps < 3 && !signal.aborted; steps += 1) {
        const action = this.#actionOf(tracked);
        if (action === undefined || !(await this.#carrier.carry(action, tracked, signal))) return;
      }
    });
  }

  /** The destination told what it has: of the torrents it does not name it has nothing. */
  connected(states: readonly TorrentState[]): void {
    const known = new Map(states.map((state) => [state.torrentId, state]));
    for (const tracked of this.#options.torrents.values()) {
      tracked.isOpen = false;
      tracked.isPaused = false;
      tracked.isInDoubt = false;
      tracked.hold = undefined;
      const state = known.get(tracked.id);
      tracked.isKnownThere = state !== undefined;
      tracked.isFinished = false;
      if (state === undefined) continue;
      tracked.hear(state);
      if (state.phase === Phase.FAILED) this.#carrier.failedThere(tracked, state);
    }
  }

  /**
   * qBittorrent does not tell of a selection that is changed while nothing is downloaded, so the torrent that was
   * looked at longest ago is looked at again: one at a time, however many there are.
   */
  #doubtOne(): void {
    const { torrents, clock, doubtEveryMs } = this.#options;
    const now = clock.monotonic();
    if (now - this.#doubtedAt < doubtEveryMs) return;
    this.#doubtedAt = now;
    let oldest: TrackedTorrent | undefined;
    for (const tracked of torrents.values())
      if (tracked.goneSince === undefined && tracked.describedAt < (oldest?.describedAt ?? now))
        oldest = tracked;
    if (oldest !== undefined) oldest.isStale = true;
  }

  #actionOf(tracked: TrackedTorrent): Action {
    const { tags, clock, goneForMs, destination } = this.#options;
    const context = { tags, now: clock.monotonic(), goneForMs, isConnected: destination() !== undefined };
    return nextAction(tracked, context);
  }
}
