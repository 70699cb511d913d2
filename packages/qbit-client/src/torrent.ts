import type { TorrentState } from "./torrent-state.ts";
import type { TorrentFile } from "./torrent-parts.ts";
import type { Tracker } from "./tracker.ts";

/**
 * A torrent as `torrents/info` and `sync/maindata` give it: qBittorrent's own field names, untouched values, and
 * every field of the version at hand. Only `state` is translated into one vocabulary. A list of 50,000 is parsed
 * once and not copied, so what needs interpretation (no date yet, no limit, ∞) is left to the functions below:
 * {@link etaSeconds}, {@link addedAt}, {@link completedAt}, {@link tagsOf}, {@link infohashesOf}.
 *
 * Sizes are bytes, speeds bytes per second, times seconds since the epoch, durations seconds, unless said.
 */
export interface Torrent {
  [field: string]: unknown;
  /** The torrent's id: 40 hex digits. */
  hash: string;
  name: string;
  state: TorrentState;
  /** 0 to 1, of the wanted data; while checking, of the check. */
  progress: number;
  /** Wanted data. */
  size: number;
  /** All data, padding included. */
  total_size: number;
  amount_left: number;
  completed: number;
  downloaded: number;
  uploaded: number;
  dlspeed: number;
  upspeed: number;
  /** 0 or less: none. */
  dl_limit: number;
  up_limit: number;
  ratio: number;
  /** 8640000: unknown or never; see {@link etaSeconds}. */
  eta: number;
  /** "" for none. */
  category: string;
  /** Comma separated; see {@link tagsOf}. */
  tags: string;
  save_path: string;
  /** Where the data is now: the file, or the folder of several; 4.3.1+. */
  content_path?: string;
  added_on: number;
  /** 0, -1 or 4294967295 (by version) when not complete; see {@link completedAt}. */
  completion_on: number;
  last_activity: number;
  seen_complete: number;
  /** The tracker that answered last; "" for none. */
  tracker: string;
  num_seeds: number;
  num_leechs: number;
  /** In the swarm, by the tracker; -1 unknown. */
  num_complete: number;
  num_incomplete: number;
  /** Place in the queue; 0 or -1: not queued. */
  priority: number;
  auto_tmm: boolean;
  force_start: boolean;
  super_seeding: boolean;
  seq_dl: boolean;
  f_l_piece_prio: boolean;
  /** -2: the global limit, -1: none. Minutes for `seeding_time_limit`. */
  ratio_limit: number;
  seeding_time_limit: number;
  /** 4.4+; "" when the torrent has none. */
  infohash_v1?: string;
  infohash_v2?: string;
  magnet_uri: string;
  /**
   * Seconds; 4.3.4+. Of a torrent that no peer asks for, every version tells it anew only when something else about it
   * changes, such as at an announce: it may be half an hour old.
   */
  seeding_time?: number;
  /** 5.0+; `null` without metadata (5.1+). */
  private?: boolean | null;
  /** 5.0+. */
  has_metadata?: boolean;
  comment?: string;
  /** Only with `includeTrackers` (5.1+). */
  trackers?: Tracker[];
  /** Only with `includeFiles` (5.2+). */
  files?: TorrentFile[];
}

/** 100 days: what qBittorrent says for ∞. */
const etaInfinity = 8_640_000;

/** Seconds to completion; `null` when there is no telling. */
export function etaSeconds(torrent: Pick<Torrent, "eta">): number | null {
  return torrent.eta >= etaInfinity || torrent.eta < 0 ? null : torrent.eta;
}

export function addedAt(torrent: Pick<Torrent, "added_on">): Date | null {
  return timeOf(torrent.added_on);
}

/** When the last wanted piece arrived; `null` when it has not. */
export function completedAt(torrent: Pick<Torrent, "completion_on">): Date | null {
  return timeOf(torrent.completion_on);
}

/** A time as qBittorrent gives it (seconds since the epoch); 0, -1 and 4294967295 mean never. */
export function timeOf(seconds: number): Date | null {
  return seconds <= 0 || seconds === 4_294_967_295 ? null : new Date(seconds * 1000);
}

/** A number where qBittorrent says -1 (or 4294967295, the same in 32 bits) for "unknown" or "no limit". */
export function knownNumber(value: number): number | null {
  return value === -1 || value === 4_294_967_295 ? null : value;
}

export function tagsOf(torrent: Pick<Torrent, "tags">): string[] {
  return torrent.tags
    .split(",")
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
}

/** Both infohashes. Before 4.4 only `hash` is there, and it is the v1 infohash. */
export function infohashesOf(torrent: Pick<Torrent, "hash" | "infohash_v1" | "infohash_v2">): {
  v1: string | null;
  v2: string | null;
} {
  const { hash, infohash_v1, infohash_v2 } = torrent;
  if (infohash_v1 === undefined && infohash_v2 === undefined) return { v1: hash, v2: null };
  return {
    v1: infohash_v1 === "" ? null : (infohash_v1 ?? null),
    v2: infohash_v2 === "" ? null : (infohash_v2 ?? null),
  };
}
