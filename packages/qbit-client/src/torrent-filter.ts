import type { Capabilities } from "./capabilities.ts";
import type { TorrentState } from "./torrent-state.ts";

/**
 * The `filter` of `torrents/info`, in the words of 5.x. `downloading` is everything incomplete, from 5.0 also
 * stopped and queued torrents; `seeding` and `completed` differ in that `completed` includes stopped ones.
 */
export type TorrentFilter =
  | "all"
  | "downloading"
  | "seeding"
  | "completed"
  | "stopped"
  | "running"
  | "active"
  | "inactive"
  | "stalled"
  | "stalled_uploading"
  | "stalled_downloading"
  | "checking"
  | "moving"
  | "errored";

const formerWords: Partial<Record<TorrentFilter, string>> = { stopped: "paused", running: "resumed" };

/** Filters that came later, with the version and what they select. qBittorrent takes an unknown filter for `all`. */
const laterFilters: Partial<Record<TorrentFilter, { since: string; states: readonly TorrentState[] }>> = {
  stalled: { since: "2.5.1", states: ["stalledUP", "stalledDL"] },
  stalled_uploading: { since: "2.5.1", states: ["stalledUP"] },
  stalled_downloading: { since: "2.5.1", states: ["stalledDL"] },
  errored: { since: "2.5.1", states: ["error", "missingFiles"] },
  checking: { since: "2.8.18", states: ["checkingUP", "checkingDL", "checkingResumeData"] },
  moving: { since: "2.8.18", states: ["moving"] },
};

/** What to ask this qBittorrent for, and which states to keep of its answer (`undefined`: all). */
export function filterFor(
  filter: TorrentFilter,
  capabilities: Capabilities,
): { word: string; keep: readonly TorrentState[] | undefined } {
  const later = laterFilters[filter];
  if (later !== undefined && !capabilities.atLeast(later.since)) return { word: "all", keep: later.states };
  const former = capabilities.atLeast("2.11.0") ? undefined : formerWords[filter];
  return { word: former ?? filter, keep: undefined };
}
