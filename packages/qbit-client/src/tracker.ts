/** A tracker of a torrent. Fields by qBittorrent's names. */
export interface Tracker {
  [field: string]: unknown;
  url: string;
  /** See {@link trackerStatus}. */
  status: number;
  /** -1 for the three rows that are no trackers: see {@link isTracker}. */
  tier: number;
  num_peers: number;
  num_seeds: number;
  num_leeches: number;
  num_downloaded: number;
  /** What the tracker said, or why it was not reached. */
  msg: string;
}

export type TrackerStatus =
  | "disabled"
  | "notContacted"
  | "working"
  | "updating"
  | "notWorking"
  | "error"
  | "unreachable";

/** 4.1.5+: 0 to 4; 5.2 tells "not working" (4) apart into "tracker error" (5) and "unreachable" (6). */
export function trackerStatus(tracker: Pick<Tracker, "status">): TrackerStatus | "unknown" {
  const words = [
    "disabled",
    "notContacted",
    "working",
    "updating",
    "notWorking",
    "error",
    "unreachable",
  ] as const;
  return words[tracker.status] ?? "unknown";
}

/** False for `** [DHT] **`, `** [PeX] **` and `** [LSD] **`, which qBittorrent lists among the trackers. */
export function isTracker(tracker: Pick<Tracker, "url">): boolean {
  return !tracker.url.startsWith("** [");
}
