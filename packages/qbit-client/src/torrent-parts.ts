/** One file of a torrent. */
export interface TorrentFile {
  [field: string]: unknown;
  /** Place in the torrent, from 0 (before 4.3.5 taken from the order of the answer). */
  index: number;
  /** Path below the save path, with `/`. */
  name: string;
  /** Bytes. */
  size: number;
  /** 0 to 1. */
  progress: number;
  /** See {@link FilePriority}. */
  priority: number;
  /** First and last piece, inclusive; reversed for an empty file. */
  piece_range?: number[];
  /** Copies in the swarm; -1 unknown. */
  availability?: number;
}

/** 0: not wanted, 1: normal (4.2 shows 4 until it is set), 6: high, 7: maximum. */
export type FilePriority = 0 | 1 | 6 | 7;

/** `torrents/properties`: sizes in bytes, speeds in bytes/s, durations in seconds; -1 where there is no value. */
export interface TorrentProperties {
  [field: string]: unknown;
  save_path: string;
  comment: string;
  /** Bytes; -1 or 0 without metadata. */
  piece_size: number;
  pieces_num: number;
  pieces_have: number;
  total_size: number;
  /** Seconds since the epoch. */
  addition_date: number;
  completion_date: number;
  creation_date: number;
  share_ratio: number;
  seeding_time: number;
  eta: number;
}

/** 0: missing, 1: downloading now, 2: there. */
export type PieceState = 0 | 1 | 2;

export interface Category {
  [field: string]: unknown;
  name: string;
  /** "" for the default one. */
  savePath: string;
}

export interface TorrentPeer {
  [field: string]: unknown;
  ip?: string | undefined;
  port?: number | undefined;
  client?: string | undefined;
  /** 0 to 1. */
  progress?: number | undefined;
}

export interface ShareLimits {
  /** Default `"global"`. */
  ratio?: number | "global" | "unlimited";
  /** Minutes. Default `"global"`. */
  seedingTimeMinutes?: number | "global" | "unlimited";
  /** Minutes without upload; 4.6+. Default `"global"`. */
  inactiveSeedingTimeMinutes?: number | "global" | "unlimited";
  /** What happens at the limit; other than `Default` 5.2+. */
  action?: "Default" | "Stop" | "Remove" | "RemoveWithContent" | "EnableSuperSeeding";
  /** Whether one limit is enough; other than `Default` 5.3+. */
  mode?: "Default" | "MatchAny" | "MatchAll";
}
