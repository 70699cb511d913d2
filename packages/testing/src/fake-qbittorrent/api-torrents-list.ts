import { type Answer, type Json, Refusal, done, json, jsonText, text } from "./answers.ts";
import { listTorrents } from "./filter-torrents.ts";
import { integer, toggle } from "./params.ts";
import { pieceHashes, pieceLayout, pieceStates } from "./pieces.ts";
import type { Call, Routes } from "./route.ts";
import { theTorrent } from "./select-torrents.ts";
import { piecesHave, showTorrent, showTorrentText } from "./show-torrent.ts";
import type { FakeState, FakeTorrent } from "./state.ts";
import { hasMetadata, isComplete } from "./torrent.ts";
import { showTrackers, trackerRows } from "./trackers.ts";

export const torrentListRoutes: Routes = {
  "torrents/info": { run: info },
  "torrents/count": { since: "2.9.3", run: ({ state }) => text(String(state.torrents.size)) },
  "torrents/properties": { needs: ["hash"], run: properties },
  "torrents/files": { needs: ["hash"], run: files },
  "torrents/trackers": {
    needs: ["hash"],
    run: ({ state, params }) => json(trackerRows(state, theTorrent(state, params))),
  },
  "torrents/webseeds": {
    needs: ["hash"],
    run: ({ state, params }) => json(theTorrent(state, params).webSeeds.map((url) => ({ url }))),
  },
  "torrents/pieceStates": {
    needs: ["hash"],
    run: ({ state, params }) => json(pieceStates(theTorrent(state, params))),
  },
  "torrents/pieceHashes": {
    needs: ["hash"],
    run: ({ state, params }) => json(pieceHashes(theTorrent(state, params))),
  },
  "torrents/export": { since: "2.8.14", needs: ["hash"], run: exportTorrent },
};

function info({ state, params }: Call): Answer {
  const { profile } = state;
  const withTrackers = profile.atLeast("2.11.4") && toggle(params["includeTrackers"]) === true;
  const withFiles = profile.atLeast("2.12.0") && toggle(params["includeFiles"]) === true;
  const torrents = listTorrents(state, params);
  if (!withTrackers && !withFiles)
    return jsonText(`[${torrents.map((torrent) => showTorrentText(state, torrent)).join(",")}]`);
  const detailed = torrents.map((torrent) => ({
    ...showTorrent(state, torrent),
    ...(withTrackers && { trackers: showTrackers(state, torrent) }),
    ...(withFiles && { files: fileRows(state, torrent) }),
  }));
  return json(detailed);
}

function properties({ state, params }: Call): Answer {
  const torrent = theTorrent(state, params);
  const { profile } = state;
  const shown = showTorrent(state, torrent);
  const { metainfo } = torrent;
  const { content } = metainfo;
  const as = (fields: Record<string, string>) =>
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, shown[field] ?? null]));
  const limit = (value: Json | undefined) => (Number(value) > 0 ? Number(value) : -1);
  const averageOfNothing = profile.atLeast("2.11.0") ? -1 : 0;
  return json({
    ...as({
      addition_date: "added_on",
      dl_speed: "dlspeed",
      eta: "eta",
      peers: "num_leechs",
      peers_total: "num_incomplete",
      save_path: "save_path",
      seeds: "num_seeds",
      seeds_total: "num_complete",
      share_ratio: "ratio",
      time_elapsed: "time_active",
      total_downloaded: "downloaded",
      total_downloaded_session: "downloaded_session",
      total_uploaded: "uploaded",
      total_uploaded_session: "uploaded_session",
      up_speed: "upspeed",
    }),
    comment: torrent.comment,
    completion_date: torrent.completedOn ?? -1,
    created_by: metainfo.createdBy,
    creation_date: metainfo.creationDate,
    dl_limit: limit(shown["dl_limit"]),
    dl_speed_avg: averageOfNothing,
    last_seen: Number(shown["seen_complete"]) > 0 ? Number(shown["seen_complete"]) : -1,
    nb_connections: 0,
    nb_connections_limit: 100,
    piece_size: content?.pieceLength ?? -1,
    pieces_have: piecesHave(torrent),
    pieces_num: content ? pieceLayout(content, torrent.files).count : -1,
    reannounce: 0,
    seeding_time: 0,
    total_size: content ? pieceLayout(content, torrent.files).totalSize : -1,
    total_wasted: 0,
    up_limit: limit(shown["up_limit"]),
    up_speed_avg: averageOfNothing,
    ...(profile.atLeast("2.8.4") && {
      ...as({
        infohash_v1: "infohash_v1",
        infohash_v2: "infohash_v2",
        hash: "hash",
        name: "name",
        download_path: "download_path",
      }),
      is_private: content?.isPrivate ?? false,
    }),
    ...(profile.atLeast("2.11.0") && {
      has_metadata: hasMetadata(torrent),
      popularity: 0,
      private: content?.isPrivate ?? null,
      progress: torrent.progress,
    }),
    ...(profile.atLeast("2.12.0") && as({ availability: "availability" })),
  });
}

function files({ state, params }: Call): Answer {
  const torrent = theTorrent(state, params);
  const rows = fileRows(state, torrent);
  const asked = state.profile.has("fileIndex") ? params["indexes"] : undefined;
  if (asked === undefined) return json(rows);
  return json(asked.split("|").map((index) => rows[fileIndex(torrent, index)] ?? null));
}

function fileIndex(torrent: FakeTorrent, value: string): number {
  const index = integer(value);
  if (index === undefined || index < 0) throw new Refusal(409, `"${value}" is not a valid file index.`);
  if (index >= torrent.files.length) throw new Refusal(409, `Index ${value} is out of bounds.`);
  return index;
}

function fileRows({ profile }: FakeState, torrent: FakeTorrent): Record<string, Json>[] {
  const { content } = torrent.metainfo;
  if (content === undefined) return [];
  const { ranges } = pieceLayout(content, torrent.files);
  return torrent.files.map(({ path, size, priority }, index) => ({
    ...(profile.has("fileIndex") && { index }),
    ...(index === 0 && { is_seed: isComplete(torrent) }),
    name: path,
    size,
    progress: size === 0 ? 1 : torrent.progress,
    priority,
    piece_range: ranges[index] ?? [],
    availability: size > 0 ? 0 : profile.atLeast("2.6.0") ? 1 : null,
  }));
}

function exportTorrent({ state, params }: Call): Answer {
  const torrent = theTorrent(state, params);
  const source = torrent.metainfo.content?.source;
  if (source === undefined) {
    throw new Refusal(409, "Unable to export torrent file. Error: Metadata is missing");
  }
  if (!state.profile.atLeast("2.11.0")) return { ...done, body: source };
  const disposition = `attachment; filename="${torrent.id}.torrent"`;
  return {
    status: 200,
    body: source,
    contentType: "application/x-bittorrent",
    headers: { "content-disposition": disposition },
  };
}
