/** What is known of a torrent that a hand-off is about. */
type Known = {
  /** Undefined when this process has never seen it in qBittorrent. */
  tracked: { goneSince?: number | undefined } | undefined;
  /** Everything qBittorrent has must have been listed by now. */
  isLoaded: boolean;
  sourceName: string;
  now: number;
  /** What is not listed for so long was removed. */
  goneForMs: number;
};

/**
 * Whether a torrent was removed here, so that the destination may be told that it is the only one that has it. A
 * record at the destination says whose hand-off it is by the source's name alone: of a torrent that a source without
 * a name has not seen itself, it may be another nameless source's, which may be seeding it.
 */
export function isGoneHere({ tracked, isLoaded, sourceName, now, goneForMs }: Known): boolean {
  if (tracked === undefined) return sourceName !== "" && isLoaded;
  return tracked.goneSince !== undefined && now - tracked.goneSince >= goneForMs;
}
