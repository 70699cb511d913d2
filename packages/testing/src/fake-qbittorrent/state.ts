import type { Json } from "./answers.ts";
import type { Profile } from "./profiles.ts";
import type { Metainfo } from "./metainfo.ts";
import type { Fields, SyncMemory } from "./sync.ts";

export type Category = {
  savePath: string;
  /** Undefined: not said; null: the default; false: none; otherwise the path ("" is the default one). */
  downloadPath: string | false | undefined;
};

export type Session = {
  id: string;
  /** Milliseconds of the state's clock; sessions slide. */
  lastUsedAt: number;
  maindata: SyncMemory;
  peers: SyncMemory;
};

export type LogLine = { id: number; timestamp: number; type: 1 | 2 | 4 | 8; message: string };

export type FakeFile = {
  path: string;
  size: number;
  priority: number;
  /** Up to 4.3 pad files are listed; they are never on the disk and never missing. */
  isPad: boolean;
};

/** One torrent of the fake. Change it through `update` only: answers are made from copies that it throws away. */
export type FakeTorrent = {
  readonly id: string;
  readonly metainfo: Metainfo;
  name: string;
  files: FakeFile[];
  trackers: { url: string; tier: number }[];
  webSeeds: string[];
  category: string;
  tags: ReadonlySet<string>;
  savePath: string;
  downloadPath: string;
  isAutoManaged: boolean;
  isStopped: boolean;
  isForced: boolean;
  isSequential: boolean;
  isFirstLast: boolean;
  isSuperSeeding: boolean;
  downloadLimit: number;
  uploadLimit: number;
  ratioLimit: number;
  seedingTimeLimit: number;
  inactiveSeedingTimeLimit: number;
  shareLimitAction: string;
  shareLimitsMode: string;
  comment: string;
  /** 0 to 1, of the wanted bytes. */
  progress: number;
  /** It was added stopped, so nobody has looked at its files yet. */
  isUnchecked: boolean;
  /** It was added as complete, and its files are not there. */
  isMissingFiles: boolean;
  /** 0 missing, 1 requested, 2 there; undefined: as many as `progress` says, from the first one on. */
  pieces: readonly number[] | undefined;
  /** Epoch seconds. */
  addedOn: number;
  /** Epoch seconds, undefined while unfinished. */
  completedOn: number | undefined;
  /** A state set by a test; the next start, stop or recheck ends it. */
  pinnedState: string | undefined;
  /** Other fields of `torrents/info` set by a test, under the names of the API. */
  pinned: Record<string, Json>;
  peers: Record<string, Record<string, Json>>;
  /** Worked out by `settle`. */
  queuePosition: number;
  isQueued: boolean;
  /** Number of the last change that libtorrent or qBittorrent's session told about. */
  news: number;
  /** The torrent as `torrents/info` shows it, until something changes. */
  shown: Fields | undefined;
  /** The same as `sync/maindata` shows it. */
  synced?: { from: Fields; fields: Fields };
};

/** Everything the fake knows: the operations in the `api-*.ts` files read and change it, and do no I/O. */
export type FakeState = {
  readonly profile: Profile;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /** Where the Web API listens, as qBittorrent itself sees it: in the cookie's name and in the Host check. */
  webPort: number;
  isHttps: boolean;
  password: string;
  apiKey: string;
  preferences: Record<string, Json>;
  /** Settings that were accepted but take effect later, oldest first. */
  pending: { dueAt: number; changes: Record<string, Json> }[];
  applyDelayMs: number;
  torrents: Map<string, FakeTorrent>;
  /** Ids of unfinished torrents, first to download first. */
  queue: string[];
  /** Number of the last change of any torrent. */
  news: number;
  /** Positions, queued torrents and totals are worked out again before the next answer. */
  isUnsettled: boolean;
  categories: Map<string, Category>;
  tags: Set<string>;
  /** qBittorrent believes to listen, and does not: the state only a change of the port or interface heals. */
  isDeaf: boolean;
  hasIncoming: boolean;
  isAltSpeed: boolean;
  /** Values of `transfer/info` and `server_state` that a test wants to see. */
  transfer: Record<string, Json>;
  interfaces: Record<string, readonly string[]>;
  /** Paths of the files that lie on the disk, each of them whole. */
  disk: Set<string>;
  /** Folders nobody can write in. */
  unwritable: readonly string[];
  sessions: Map<string, Session>;
  /** Wrong logins by client address. */
  failedLogins: Map<string, { count: number; bannedUntil: number }>;
  log: LogLine[];
};

export function logLine(state: FakeState, type: LogLine["type"], message: string): void {
  state.log.push({ id: state.log.length, timestamp: Math.floor(state.now() / 1000), type, message });
}

/** A setting that is a text in every version; "" where the version does not have it. */
export function textSetting({ preferences }: FakeState, name: string): string {
  const value = preferences[name];
  return typeof value === "string" ? value : "";
}
