/**
 * One change of the port qBittorrent listens on. `rebind`: the same port taken anew. `from` is 0 when there was none
 * before, and equals `to` when only the settings around the port were changed.
 */
export type PortChange = { at: Date; from: number; to: number; kind: "set" | "rebind"; why: string };

const kept = 10;

/** Tells changes of the port to who listens, and remembers the last ten. */
export class PortChanges {
  readonly #latest: PortChange[] = [];
  readonly #listeners: ((change: PortChange) => void)[] = [];

  /** Newest last. */
  get latest(): readonly PortChange[] {
    return this.#latest;
  }

  onChange(listener: (change: PortChange) => void): void {
    this.#listeners.push(listener);
  }

  add(change: PortChange): void {
    this.#latest.push(change);
    if (this.#latest.length > kept) this.#latest.shift();
    for (const listener of this.#listeners) listener(change);
  }

  /** For a status page: newest first, times as text. */
  report() {
    return this.#latest.toReversed().map(({ at, ...change }) => ({ at: at.toISOString(), ...change }));
  }
}

/** A change in one line, for the log. */
export function describePortChange({ kind, from, to, why }: PortChange): string {
  if (kind === "rebind") return `qBittorrent took port ${to} anew (${why})`;
  if (from === to) return `qBittorrent's settings for port ${to} put right (${why})`;
  return `the port is ${to} now, it was ${from === 0 ? "none" : from} (${why})`;
}
