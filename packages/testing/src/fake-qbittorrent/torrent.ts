import type { Json } from "./answers.ts";
import type { Metainfo } from "./metainfo.ts";
import type { FakeState } from "./state.ts";
import type { Fields } from "./sync.ts";

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

export function update(state: FakeState, torrent: FakeTorrent, changes: Partial<FakeTorrent>): void {
  updateQuietly(state, torrent, changes);
  torrent.news = ++state.news;
}

/** From 4.6 on `sync/maindata` does not hear of some changes until the torrent changes in another way. */
export function updateQuietly(state: FakeState, torrent: FakeTorrent, changes: Partial<FakeTorrent>): void {
  Object.assign(torrent, changes);
  torrent.shown = undefined;
  state.isUnsettled = true;
}

export function hasMetadata(torrent: FakeTorrent): boolean {
  return torrent.metainfo.content !== undefined;
}

/** Everything that is wanted is there, or nothing is wanted. */
export function isComplete(torrent: FakeTorrent): boolean {
  if (!hasMetadata(torrent)) return false;
  return torrent.progress >= 1 || torrent.files.every(({ priority }) => priority === 0);
}

/** libtorrent has nothing to download: also when it only was told so and the files are missing. */
function isSeed(torrent: FakeTorrent): boolean {
  return isComplete(torrent) || torrent.isMissingFiles;
}

/** The id every endpoint takes: the v1 infohash, or the first 40 digits of the v2 one (hybrid torrents too). */
export function torrentId(metainfo: Metainfo): string {
  return metainfo.infohashV2 ? metainfo.infohashV2.slice(0, 40) : metainfo.infohashV1;
}

/** A complete torrent wants everything, whatever its priorities say. */
export function wantedSize(torrent: FakeTorrent): number {
  const wantsAll = torrent.progress >= 1;
  let size = 0;
  for (const file of torrent.files) if (wantsAll || file.priority !== 0) size += file.size;
  return size;
}

/** Works out what depends on other torrents: places in the queue, and who has to wait for a slot. */
export function settle(state: FakeState): void {
  if (!state.isUnsettled) return;
  state.isUnsettled = false;
  const isWaiting = (id: string) => {
    const torrent = state.torrents.get(id);
    return torrent !== undefined && !isSeed(torrent);
  };
  state.queue = state.queue.filter(isWaiting);
  const slots =
    state.preferences["queueing_enabled"] === true ? Number(state.preferences["max_active_downloads"]) : -1;
  let running = 0;
  for (const [at, id] of state.queue.entries()) {
    const torrent = state.torrents.get(id) as FakeTorrent;
    const takesSlot = !torrent.isStopped && !torrent.isForced && torrent.pinnedState === undefined;
    if (takesSlot) running++;
    show(state, torrent, { queuePosition: at + 1, isQueued: takesSlot && slots >= 0 && running > slots });
  }
  for (const torrent of state.torrents.values())
    if (isSeed(torrent)) show(state, torrent, { queuePosition: 0, isQueued: false });
}

type InQueue = Pick<FakeTorrent, "queuePosition" | "isQueued">;

function show(state: FakeState, torrent: FakeTorrent, { queuePosition, isQueued }: InQueue): void {
  if (torrent.queuePosition === queuePosition && torrent.isQueued === isQueued) return;
  torrent.queuePosition = queuePosition;
  torrent.isQueued = isQueued;
  torrent.news = ++state.news;
  torrent.shown = undefined;
}

/** In the words of the version: "stoppedDL" is "pausedDL" before 5.0. */
export function stateName(state: FakeState, torrent: FakeTorrent): string {
  if (torrent.pinnedState !== undefined) return torrent.pinnedState;
  if (torrent.isMissingFiles) return "missingFiles";
  const way = isComplete(torrent) ? "UP" : "DL";
  if (torrent.isStopped) return (state.profile.has("stopStart") ? "stopped" : "paused") + way;
  if (torrent.isQueued) return `queued${way}`;
  if (!hasMetadata(torrent)) return torrent.isForced ? "forcedMetaDL" : "metaDL";
  if (torrent.isForced) return `forced${way}`;
  if (Number(torrent.pinned[way === "UP" ? "upspeed" : "dlspeed"] ?? 0) === 0) return `stalled${way}`;
  return way === "UP" ? "uploading" : "downloading";
}

/** The folder all files lie in, or nothing. */
export function rootFolder(files: readonly FakeFile[]): string {
  const tops = new Set(files.map(({ path }) => (path.includes("/") ? path.split("/")[0] : "")));
  const [top = ""] = tops;
  return tops.size === 1 ? top : "";
}
