/**
 * What a torrent is doing, in the words of qBittorrent 5.x, whichever version says it. `…UP` has all wanted data,
 * `…DL` has not.
 */
export const torrentStates = [
  "error",
  "missingFiles",
  "uploading",
  "stoppedUP",
  "queuedUP",
  "stalledUP",
  "checkingUP",
  "forcedUP",
  "allocating",
  "downloading",
  "metaDL",
  "forcedMetaDL",
  "stoppedDL",
  "queuedDL",
  "stalledDL",
  "checkingDL",
  "forcedDL",
  "checkingResumeData",
  "moving",
  "unknown",
] as const;

export type TorrentState = (typeof torrentStates)[number];

const formerWords: Readonly<Record<string, TorrentState>> = {
  pausedUP: "stoppedUP",
  pausedDL: "stoppedDL",
  // 4.1: waiting for its check; like `checkingResumeData` it does not say whether the data is complete.
  queuedForChecking: "checkingResumeData",
};

const known: ReadonlySet<string> = new Set(torrentStates);

/** Translates the word of any version; one that nobody has heard of becomes `unknown`. */
export function torrentState(word: string): TorrentState {
  return isTorrentState(word) ? word : (formerWords[word] ?? "unknown");
}

export function isTorrentState(word: string): word is TorrentState {
  return known.has(word);
}

/** All wanted data is there and checked: seeding, waiting to seed, or stopped after it. */
export function isComplete(state: TorrentState): boolean {
  return ["uploading", "stoppedUP", "queuedUP", "stalledUP", "forcedUP"].includes(state);
}
