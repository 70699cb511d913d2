export type { AddResult, AddSettings, AddTorrents } from "./add-torrents.ts";
export type { AppApi, BuildInfo, DownloadCookie } from "./app.ts";
export {
  type AppliedListenPort,
  applyListenPort,
  type ApplyListenPortOptions,
  type ListenState,
} from "./apply-listen-port.ts";
export { type Auth, type AuthSource, chooseAuth } from "./auth.ts";
export type { AuthApi } from "./auth-api.ts";
export { BencodeError } from "./bencode.ts";
export type { CallOptions } from "./call.ts";
export { Capabilities } from "./capabilities.ts";
export { QbitClient, type QbitClientOptions } from "./client.ts";
export type { Clock } from "./clock.ts";
export { type Endpoint, type EndpointName, endpoints } from "./endpoints.ts";
export * from "./errors.ts";
export type { QbitEvent } from "./events.ts";
export { type Hashes, torrentId } from "./hashes.ts";
export { type Infohashes, infohashesOfMagnet, infohashesOfTorrent } from "./infohash.ts";
export type { LogApi, LogEntry, PeerLogEntry } from "./log.ts";
export type { Maindata, ServerState } from "./maindata.ts";
export { type MaindataChange, type MaindataSource, MaindataStore } from "./maindata-store.ts";
export type { Preferences } from "./preferences.ts";
export type { Probe } from "./probe.ts";
export type { RawAnswer, RawRequest } from "./raw.ts";
export type { SyncApi } from "./sync.ts";
export {
  addedAt,
  completedAt,
  etaSeconds,
  infohashesOf,
  knownNumber,
  tagsOf,
  timeOf,
  type Torrent,
} from "./torrent.ts";
export type { TorrentFilter } from "./torrent-filter.ts";
export type {
  Category,
  FilePriority,
  PieceState,
  ShareLimits,
  TorrentFile,
  TorrentPeer,
  TorrentProperties,
} from "./torrent-parts.ts";
export {
  isComplete,
  isTorrentState,
  type TorrentState,
  torrentState,
  torrentStates,
} from "./torrent-state.ts";
export type { CategorySettings, TorrentsApi } from "./torrents.ts";
export type { TorrentsQuery } from "./torrents-read.ts";
export { isTracker, type Tracker, type TrackerStatus, trackerStatus } from "./tracker.ts";
export type { TransferApi, TransferInfo } from "./transfer.ts";
export { compareVersions } from "./version.ts";
