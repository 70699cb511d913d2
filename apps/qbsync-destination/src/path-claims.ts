/**
 * Which torrent receives which files. A torrent has all its paths or none: whoever waits holds nothing, so no two wait
 * for each other, whichever paths they have in common.
 */
export class PathClaims<Torrent extends object> {
  readonly #holders = new Map<string, Torrent>();
  readonly #paths = new Map<Torrent, readonly string[]>();
  readonly #mayBePassed: (holder: Torrent) => boolean;

  /** @param mayBePassed whether nothing is to be expected of a torrent, so that nobody should wait for it */
  constructor(mayBePassed: (holder: Torrent) => boolean) {
    this.#mayBePassed = mayBePassed;
  }

  /**
   * Takes these paths instead of those that the torrent had.
   *
   * @returns the torrent that has one of them; then none were taken, and those it had are free
   */
  claim(torrent: Torrent, paths: readonly string[]): Torrent | undefined {
    this.release(torrent);
    for (const path of paths) {
      const holder = this.#holders.get(path);
      if (holder !== undefined && !this.#mayBePassed(holder)) return holder;
    }
    for (const path of paths) this.#holders.set(path, torrent);
    this.#paths.set(torrent, paths);
    return undefined;
  }

  release(torrent: Torrent): void {
    for (const path of this.#paths.get(torrent) ?? [])
      if (this.#holders.get(path) === torrent) this.#holders.delete(path);
    this.#paths.delete(torrent);
  }
}
