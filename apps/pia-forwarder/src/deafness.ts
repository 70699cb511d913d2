/** How long qBittorrent has reported that it does not listen. It then has the right port and hears nobody. */
export type Deafness = {
  sinceMs?: number;
  /** Rebinds that did not cure it; each doubles the wait for the next. */
  vainRebinds: number;
};

export const notDeaf: Deafness = { vainRebinds: 0 };

const firstRebindMs = 60_000;
const longestWaitMs = 30 * 60_000;

/** Folds one look at qBittorrent into what is known. */
export function afterLook(known: Deafness, isDeaf: boolean, nowMs: number): Deafness {
  return isDeaf ? { ...known, sinceMs: known.sinceMs ?? nowMs } : notDeaf;
}

/** Whether qBittorrent is to take its port anew: one that is just starting must not be disturbed. */
export function isTooLong({ sinceMs, vainRebinds }: Deafness, nowMs: number): boolean {
  if (sinceMs === undefined) return false;
  return nowMs - sinceMs >= Math.min(longestWaitMs, firstRebindMs * 2 ** Math.min(vainRebinds, 10));
}

/** It was rebound just now, and the wait for the next time begins. */
export function afterRebind(known: Deafness, nowMs: number): Deafness {
  if (known.sinceMs === undefined) return known;
  return { sinceMs: nowMs, vainRebinds: known.vainRebinds + 1 };
}
