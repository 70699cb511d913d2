/**
 * What a condition says of a torrent. Small integers, because a run asks this a million times.
 *
 * `unknown`: the data does not exist yet (a magnet without files) or this qBittorrent does not tell it.
 * `pending`: the data exists but has not been fetched; the question will be asked again.
 */
export const no = 0;
export const yes = 1;
export const unknown = 2;
export const pending = 3;
export type Truth = typeof no | typeof yes | typeof unknown | typeof pending;

export function truthOf(value: boolean): Truth {
  return value ? yes : no;
}

/** Kleene's negation: what is not known is not known to be false either. */
export function not(value: Truth): Truth {
  if (value === yes) return no;
  return value === no ? yes : value;
}

export const truthNames = ["no", "yes", "unknown", "pending"] as const;
