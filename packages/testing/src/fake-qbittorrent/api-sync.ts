import { type Answer, type Json, jsonText } from "./answers.ts";
import { transferInfo } from "./api-transfer.ts";
import { showCategories } from "./categories.ts";
import { integer } from "./params.ts";
import type { Call, Routes } from "./route.ts";
import { theTorrent } from "./select-torrents.ts";
import { showTorrent } from "./show-torrent.ts";
import type { FakeState, FakeTorrent } from "./state.ts";
import {
  type Fields,
  type Snapshot,
  type SyncMemory,
  bufferedDifference,
  differenceFromAccepted,
} from "./sync.ts";
import { tagNames } from "./tags.ts";
import { settle } from "./torrent.ts";

export const syncRoutes: Routes = {
  "sync/maindata": { run: maindata },
  "sync/torrentPeers": { run: torrentPeers },
};

function maindata({ state, session, params }: Call): Answer {
  const rid = integer(params["rid"]) ?? 0;
  const { profile } = state;
  const now = snapshotOf(state, session.maindata);
  if (!profile.has("changeBuffer")) return jsonText(differenceFromAccepted(session.maindata, rid, now));
  const keeps = profile.has("changesAddUp") ? "allChanges" : "lastChange";
  return jsonText(bufferedDifference(session.maindata, rid, { now, keeps }));
}

function torrentPeers({ state, session, params }: Call): Answer {
  const { peers } = theTorrent(state, params);
  const snapshot: Snapshot = {
    peers: { kind: "objects", items: new Map(Object.entries(peers)) },
    show_flags: { kind: "value", value: state.preferences["resolve_peer_countries"] ?? true },
  };
  return jsonText(differenceFromAccepted(session.peers, integer(params["rid"]) ?? 0, snapshot));
}

function snapshotOf(state: FakeState, memory: SyncMemory): Snapshot {
  return {
    // A new torrent is told as its difference from nothing, and null is no difference from nothing.
    torrents: {
      kind: "objects",
      items: torrentsById(state, memory),
      hidesNulls: state.profile.has("changeBuffer"),
    },
    categories: { kind: "objects", items: showCategories(state) },
    tags: { kind: "words", items: tagNames(state) },
    ...(state.profile.has("trackersInMaindata") && {
      trackers: { kind: "groups", items: idsByTracker(state) },
    }),
    server_state: { kind: "record", fields: serverState(state) },
  };
}

function torrentsById(state: FakeState, memory: SyncMemory): Map<string, Fields> {
  settle(state);
  const byId = new Map<string, Fields>();
  const onlyNews = state.profile.has("changeBuffer");
  for (const torrent of state.torrents.values()) {
    byId.set(torrent.id, onlyNews ? asLastTold(state, torrent, memory) : withoutHash(state, torrent));
  }
  return byId;
}

/** From 4.6 on a session looks at a torrent again only when it heard that something changed. */
function asLastTold(state: FakeState, torrent: FakeTorrent, { lastNews }: SyncMemory): Fields {
  const told = lastNews.get(torrent.id);
  if (told?.news === torrent.news) return told.fields;
  const fields = withoutHash(state, torrent);
  lastNews.set(torrent.id, { news: torrent.news, fields });
  return fields;
}

/** The same object again while nothing changed, so that 50,000 torrents compare in no time. */
function withoutHash(state: FakeState, torrent: FakeTorrent): Fields {
  const shown = showTorrent(state, torrent);
  if (torrent.synced?.from === shown) return torrent.synced.fields;
  const { hash: _, ...fields } = shown;
  const trackerFlags = state.profile.has("trackerEndpoints")
    ? { has_other_announce_error: false, has_tracker_error: false, has_tracker_warning: false }
    : {};
  torrent.synced = { from: shown, fields: { ...fields, ...trackerFlags } };
  return torrent.synced.fields;
}

function idsByTracker(state: FakeState): Map<string, readonly string[]> {
  const ids = new Map<string, string[]>();
  for (const { id, trackers } of state.torrents.values()) {
    for (const { url } of trackers) {
      const list = ids.get(url);
      if (list) list.push(id);
      else ids.set(url, [id]);
    }
  }
  return ids;
}

function serverState(state: FakeState): Record<string, Json> {
  const { profile, preferences } = state;
  return {
    ...transferInfo(state),
    alltime_dl: 0,
    alltime_ul: 0,
    average_time_queue: 0,
    free_space_on_disk: 100_000_000_000,
    global_ratio: "-",
    queued_io_jobs: 0,
    queueing: preferences["queueing_enabled"] ?? false,
    read_cache_hits: "0",
    read_cache_overload: "0",
    refresh_interval: preferences["refresh_interval"] ?? 1500,
    total_buffers_size: 0,
    total_peer_connections: 0,
    total_queued_size: 0,
    total_wasted_session: 0,
    use_alt_speed_limits: state.isAltSpeed,
    write_cache_overload: "0",
    ...(profile.atLeast("2.9.3") && { last_external_address_v4: "", last_external_address_v6: "" }),
    ...(preferences["use_subcategories"] !== undefined && {
      use_subcategories: preferences["use_subcategories"],
    }),
    ...(profile.atLeast("2.12.0") && {
      queued_tracker_announces: 0,
      request_latency: 0,
      session_state: false,
    }),
    ...state.transfer,
  };
}
