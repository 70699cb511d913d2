import { sortedTags } from "./tags.ts";
import type { Json } from "./answers.ts";
import { pieceLayout, pieceStates } from "./pieces.ts";
import type { FakeState, FakeTorrent } from "./state.ts";
import { type Fields, jsonOf } from "./sync.ts";
import { hasMetadata, isComplete, settle, stateName, wantedSize, rootFolder } from "./torrent.ts";

const infinity = 8_640_000;

/** The torrent as `torrents/info` shows it in this version. */
export function showTorrent(state: FakeState, torrent: FakeTorrent): Fields {
  settle(state);
  torrent.shown ??= { ...fieldsOf(state, torrent), ...torrent.pinned, state: stateName(state, torrent) };
  return torrent.shown;
}

export function showTorrentText(state: FakeState, torrent: FakeTorrent): string {
  return jsonOf(showTorrent(state, torrent));
}

function fieldsOf(state: FakeState, torrent: FakeTorrent): Record<string, Json> {
  return {
    ...identity(state, torrent),
    ...placeOnDisk(state, torrent),
    ...progressOf(state, torrent),
    ...limitsOf(state, torrent),
    auto_tmm: torrent.isAutoManaged,
    category: torrent.category,
    f_l_piece_prio: torrent.isFirstLast,
    force_start: torrent.isForced && !torrent.isStopped,
    priority: torrent.queuePosition,
    seq_dl: torrent.isSequential,
    super_seeding: torrent.isSuperSeeding,
    tags: sortedTags(torrent.tags).join(", "),
    tracker: "",
  };
}

function identity(state: FakeState, torrent: FakeTorrent): Record<string, Json> {
  const { profile } = state;
  const { metainfo } = torrent;
  const has51 = profile.atLeast("2.11.0");
  const has52 = profile.atLeast("2.12.0");
  return {
    hash: torrent.id,
    name: torrent.name,
    magnet_uri: magnetOf(state, torrent),
    ...(profile.has("infohashes") && { infohash_v1: metainfo.infohashV1, infohash_v2: metainfo.infohashV2 }),
    ...(profile.atLeast("2.8.4") && { trackers_count: torrent.trackers.length }),
    ...(has51 && {
      comment: torrent.comment,
      has_metadata: hasMetadata(torrent),
      private: metainfo.content?.isPrivate ?? null,
    }),
    ...(has52 && { created_by: metainfo.createdBy, creation_date: metainfo.creationDate }),
  };
}

/** libtorrent escapes as `encodeURIComponent` does. From 5.0 on the name is the one the user gave. */
function magnetOf({ profile }: FakeState, torrent: FakeTorrent): string {
  const { metainfo, files, trackers, webSeeds } = torrent;
  const { infohashV1, infohashV2, content } = metainfo;
  const isNew = profile.has("magnetHasLengthAndOwnName");
  // Up to 4.3 the name goes with the folder.
  const isNameless =
    !profile.has("contentLayout") && content?.hasRootFolder === true && rootFolder(files) === "";
  const dn = isNew && torrent.name !== torrent.id ? torrent.name : isNameless ? "" : metainfo.name;
  const params = [
    infohashV1 && `xt=urn:btih:${infohashV1}`,
    infohashV2 && `xt=urn:btmh:1220${infohashV2}`,
    dn && `dn=${encodeURIComponent(dn)}`,
    isNew && content && `xl=${pieceLayout(content, files).totalSize}`,
    ...trackers.map(({ url }) => `tr=${encodeURIComponent(url)}`),
    ...webSeeds.map((url) => `ws=${encodeURIComponent(url)}`),
  ];
  return `magnet:?${params.filter(Boolean).join("&")}`;
}

function placeOnDisk({ profile }: FakeState, torrent: FakeTorrent): Record<string, Json> {
  const folder = torrent.downloadPath && !isComplete(torrent) ? torrent.downloadPath : torrent.savePath;
  const root = rootFolder(torrent.files);
  const content = torrent.files.length === 1 ? (torrent.files[0]?.path ?? "") : root;
  return {
    save_path: profile.has("plainSavePath") ? torrent.savePath : withSlash(torrent.savePath),
    ...(profile.atLeast("2.6.1") && { content_path: hasMetadata(torrent) ? join(folder, content) : "" }),
    ...(profile.atLeast("2.8.4") && { download_path: torrent.downloadPath }),
    ...(profile.atLeast("2.11.0") && { root_path: root ? join(folder, root) : "" }),
  };
}

function join(folder: string, path: string): string {
  return path === "" ? folder : `${folder}/${path}`;
}

export function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}

function progressOf({ profile }: FakeState, torrent: FakeTorrent): Record<string, Json> {
  const size = wantedSize(torrent);
  const done = Math.round(size * torrent.progress);
  const never = profile.has("neverIsMinusOne") ? -1 : 0;
  const content = torrent.metainfo.content;
  return {
    added_on: torrent.addedOn,
    amount_left: size - done,
    availability: content ? 0 : -1,
    completed: done,
    completion_on: torrent.completedOn ?? never,
    dlspeed: 0,
    downloaded: 0,
    downloaded_session: 0,
    eta: infinity,
    last_activity: profile.atLeast("2.8.4") ? torrent.addedOn : 0,
    num_complete: 0,
    num_incomplete: 0,
    num_leechs: 0,
    num_seeds: 0,
    progress: torrent.progress,
    ratio: 0,
    seen_complete: never,
    size,
    time_active: 0,
    total_size: content ? pieceLayout(content, torrent.files).totalSize : -1,
    uploaded: 0,
    uploaded_session: 0,
    upspeed: 0,
    ...(profile.atLeast("2.8.1") && { seeding_time: 0 }),
    ...(profile.atLeast("2.11.0") && { popularity: 0, reannounce: 0 }),
    ...(profile.atLeast("2.12.0") && {
      connections_count: 0,
      connections_limit: 100,
      piece_size: content?.pieceLength ?? -1,
      pieces_have: piecesHave(torrent),
      pieces_num: content ? pieceLayout(content, torrent.files).count : -1,
      total_wasted: 0,
    }),
  };
}

export function piecesHave(torrent: FakeTorrent): number {
  return pieceStates(torrent).filter((piece) => piece === 2).length;
}

function limitsOf({ profile, preferences }: FakeState, torrent: FakeTorrent): Record<string, Json> {
  const speed = (limit: number) => (profile.has("zeroMeansNoLimit") ? Math.max(0, limit) : limit);
  const effective = (limit: number, global: Json | undefined) =>
    limit === -2 ? Number(global ?? -1) : limit;
  return {
    dl_limit: speed(torrent.downloadLimit),
    up_limit: speed(torrent.uploadLimit),
    max_ratio: effective(torrent.ratioLimit, preferences["max_ratio"]),
    max_seeding_time: effective(torrent.seedingTimeLimit, preferences["max_seeding_time"]),
    ratio_limit: torrent.ratioLimit,
    seeding_time_limit: torrent.seedingTimeLimit,
    ...(profile.has("inactiveSeedingTime") && {
      inactive_seeding_time_limit: torrent.inactiveSeedingTimeLimit,
      max_inactive_seeding_time: effective(
        torrent.inactiveSeedingTimeLimit,
        preferences["max_inactive_seeding_time"],
      ),
    }),
    ...(profile.has("shareLimitAction") && { share_limit_action: torrent.shareLimitAction }),
    ...(profile.has("shareLimitsMode") && { share_limits_mode: torrent.shareLimitsMode }),
  };
}
