import type { Json } from "./answers.ts";
import type { Profile } from "./profiles.ts";
import type { SyncMemory } from "./sync.ts";
import type { FakeTorrent } from "./torrent.ts";

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
