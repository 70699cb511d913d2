import type { Torrent } from "@qbit-sidecars/qbit-client";

/** Not `queuedUP`: it waits for its turn, and its time stands still. */
const seeding: ReadonlySet<string> = new Set(["uploading", "stalledUP", "forcedUP"]);

/**
 * How long a torrent was seeded. qBittorrent tells it only when something else about the torrent changes: of one that
 * nobody asks for it goes on telling what it was hours ago (seen with 4.5.2, 5.1.0 and 5.3.0), and those are the
 * first to be handed over. So what passes meanwhile is counted here, as long as the torrent is seen to seed.
 */
export class SeedingTime {
  #told: number | undefined;
  #since = 0;

  /**
   * @param now monotonic milliseconds
   * @param listedForMs how long qBittorrent has been up with its list whole; what was before that may not have been
   *   seeding
   * @returns milliseconds, never more than it was seeded
   */
  at(
    { state, seeding_time: told = 0 }: Pick<Torrent, "state" | "seeding_time">,
    { now, listedForMs }: { now: number; listedForMs: number },
  ): number {
    if (!seeding.has(state)) {
      this.#told = undefined;
      return told * 1000;
    }
    if (this.#told !== told) [this.#told, this.#since] = [told, now];
    return told * 1000 + Math.max(0, Math.min(now - this.#since, listedForMs));
  }
}
