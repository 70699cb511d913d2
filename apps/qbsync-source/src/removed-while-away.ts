import { HandOffRecord_Step as Step, Phase, type TorrentState } from "@qbit-sidecars/qbsync-protocol";
import type { Logger } from "@qbit-sidecars/service";
import type { TrackedTorrent } from "./tracked-torrent.ts";

export type RemovedWhileAwayOptions = {
  torrents: ReadonlyMap<string, TrackedTorrent>;
  sourceName: string;
  dryRun: boolean;
  /** Whether everything qBittorrent has must have been listed by now. */
  isLoaded: () => boolean;
  /** Tells the destination that it is the only one that has it. */
  tellRemoved: (id: string) => Promise<void>;
  log: Pick<Logger, "info" | "warn">;
};

/**
 * Torrents that a person removed here while this program was not running. The destination knows which it has from
 * this source, and by the source's name alone: without a name, or with one that two have, nothing can be said.
 *
 * A list that is short looks the same as torrents that were removed. So it is waited for until qBittorrent must have
 * loaded all it has, nothing is believed of a list with less than half of what it should have, and nothing is ever
 * deleted for it: what is complete at the destination is started there, what is not stays.
 */
export class RemovedWhileAway {
  readonly #options: RemovedWhileAwayOptions;
  /** Whether it is finished there, by id. */
  #owned = new Map<string, boolean>();

  constructor(options: RemovedWhileAwayOptions) {
    this.#options = options;
  }

  /** The destination told what it has. */
  connected(states: readonly TorrentState[]): void {
    const { sourceName } = this.#options;
    if (sourceName === "") return;
    const own = states.filter(
      (state) => state.sourceName === sourceName && state.handOff?.step !== Step.REMOVED,
    );
    this.#owned = new Map(own.map(({ torrentId, phase }) => [torrentId, phase === Phase.FINISHED]));
  }

  /** Looks once, when the list can be believed. What cannot be told now is tried again. */
  async step(): Promise<void> {
    const { torrents, isLoaded, dryRun } = this.#options;
    if (this.#owned.size === 0 || !isLoaded()) return;
    const missing = [...this.#owned].filter(([id]) => !torrents.has(id));
    const isBelieved = missing.length * 2 <= this.#owned.size;
    if (missing.length > 0) {
      if (isBelieved && !dryRun) await this.#tell(missing);
      else this.#leave(missing.length, isBelieved);
    }
    this.#owned.clear();
  }

  /** One that cannot be told now keeps none of the others waiting. @throws what kept the first of them */
  async #tell(missing: readonly (readonly [string, boolean])[]): Promise<void> {
    const { tellRemoved, log } = this.#options;
    const troubles: unknown[] = [];
    for (const [torrent, isFinished] of missing) {
      if (isFinished) {
        try {
          await tellRemoved(torrent);
        } catch (error) {
          troubles.push(error);
          continue;
        }
      } else
        log.warn(
          { torrent },
          "a torrent that was being sent is gone from qBittorrent since the last run; what the destination has of it stays there",
        );
      this.#owned.delete(torrent);
    }
    if (troubles.length > 0) throw troubles[0];
  }

  #leave(count: number, isBelieved: boolean): void {
    const why = isBelieved ? "this is a dry run" : "that is too many to be believed";
    this.#options.log.warn(
      `${count} of ${this.#owned.size} torrents that the destination has from ${this.#options.sourceName} are not in qBittorrent; ${why}, so the destination is told nothing`,
    );
  }
}
