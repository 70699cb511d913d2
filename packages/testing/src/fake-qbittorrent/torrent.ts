import type { Metainfo } from "./metainfo.ts";
import type { FakeFile, FakeState, FakeTorrent } from "./state.ts";

export function update(state: FakeState, torrent: FakeTorrent, changes: Partial<FakeTorrent>): void {
  updateQuietly(state, torrent, changes);
  torrent.news = ++state.news;
}

/** From 4.6 on `sync/maindata` does not hear of some changes until the torrent changes in another way. */
function updateQuietly(state: FakeState, torrent: FakeTorrent, changes: Partial<FakeTorrent>): void {
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
