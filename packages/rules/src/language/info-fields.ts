import { tagsOf } from "@qbit-sidecars/qbit-client";
import type { Field, FieldType, Value } from "./field.ts";

type Row = readonly [name: string, type: FieldType, about: string, extra?: Partial<Field>];

const withMetadata = { needsMetadata: true } as const;

const rows: readonly Row[] = [
  ["hash", "hash", "the torrent's id: 40 hex digits"],
  ["infohash_v1", "hash", "v1 infohash; empty for v2-only torrents", { since: "2.8.4" }],
  ["infohash_v2", "hash", "v2 infohash; empty for v1-only torrents", { since: "2.8.4" }],
  ["name", "text", "name"],
  ["state", "state", "what it is doing; `paused…` of 4.x and `stopped…` of 5.x are the same word"],
  ["category", "text", "category; empty for none"],
  ["size", "bytes", "wanted data", withMetadata],
  ["total_size", "bytes", "all data", withMetadata],
  ["amount_left", "bytes", "wanted data still missing", withMetadata],
  ["completed", "bytes", "wanted data that is there"],
  ["progress", "number", "0 to 1, of the wanted data"],
  ["dlspeed", "bytes", "download speed, bytes/s"],
  ["upspeed", "bytes", "upload speed, bytes/s"],
  ["downloaded", "bytes", "downloaded in all"],
  ["downloaded_session", "bytes", "downloaded since qBittorrent was started"],
  ["uploaded", "bytes", "uploaded in all"],
  ["uploaded_session", "bytes", "uploaded since qBittorrent was started"],
  ["ratio", "number", "uploaded / downloaded; 9999 also for more", asRatio("ratio")],
  ["dl_limit", "bytes", "download limit, bytes/s; 0 or less: none"],
  ["up_limit", "bytes", "upload limit, bytes/s; 0 or less: none"],
  ["num_seeds", "number", "seeds it is connected to"],
  ["num_leechs", "number", "leechers it is connected to"],
  ["num_complete", "number", "seeds in the swarm", unlessUnknown("num_complete")],
  ["num_incomplete", "number", "leechers in the swarm", unlessUnknown("num_incomplete")],
  ["eta", "seconds", "time to completion; 8640000: unknown"],
  ["seeding_time", "seconds", "time spent seeding", { since: "2.8.1" }],
  ["time_active", "seconds", "time spent not stopped"],
  ["added_on", "time", "when it was added"],
  ["completion_on", "time", "when the last wanted piece arrived; never: 0 or -1"],
  ["last_activity", "time", "when a piece was last sent or received"],
  ["seen_complete", "time", "when a complete copy was last seen"],
  ["tracker", "text", "the tracker that answered last; empty for none"],
  ["trackers_count", "number", "how many trackers it has", { since: "2.8.4" }],
  ["save_path", "text", "where complete data belongs"],
  ["download_path", "text", "where incomplete data belongs", { since: "2.8.4" }],
  ["content_path", "text", "where the data is: its file or folder", { since: "2.6.1", ...withMetadata }],
  ["root_path", "text", "its top folder; empty without one", { since: "2.11.2", ...withMetadata }],
  ["magnet_uri", "text", "magnet link"],
  ["priority", "number", "place in the queue; 0 or -1: not queued"],
  ["auto_tmm", "boolean", "automatic torrent management"],
  ["force_start", "boolean", "runs whatever the queue says"],
  ["super_seeding", "boolean", "super seeding"],
  ["seq_dl", "boolean", "downloads in order"],
  ["f_l_piece_prio", "boolean", "first and last pieces first"],
  [
    "availability",
    "number",
    "copies among the peers; unknown while it is not downloading",
    unlessUnknown("availability"),
  ],
  ["max_ratio", "number", "ratio limit in force; -1 none"],
  ["max_seeding_time", "number", "seeding time limit in force, minutes; -1 none"],
  ["ratio_limit", "number", "its own ratio limit; -2 the global one, -1 none"],
  ["seeding_time_limit", "number", "its own limit, minutes; -2 the global one, -1 none"],
  ["inactive_seeding_time_limit", "number", "the same without upload, minutes", { since: "2.9.2" }],
  ["max_inactive_seeding_time", "number", "that limit in force, minutes", { since: "2.9.2" }],
  ["private", "boolean", "from a private tracker", { since: "2.11.2", ...withMetadata }],
  ["has_metadata", "boolean", "its files are known", { since: "2.11.2" }],
  ["comment", "text", "comment of the torrent file", { since: "2.11.2", ...withMetadata }],
  [
    "popularity",
    "number",
    "ratio per month; 9999 also for more",
    { since: "2.11.2", ...asRatio("popularity") },
  ],
  ["reannounce", "seconds", "time to the next announce", { since: "2.11.2" }],
  ["created_by", "text", "program that made the torrent file", { since: "2.15.1", ...withMetadata }],
  ["creation_date", "time", "when the torrent file was made", { since: "2.15.1", ...withMetadata }],
  ["piece_size", "bytes", "size of a piece", { since: "2.15.1", ...withMetadata }],
  ["pieces_num", "number", "how many pieces", { since: "2.15.1", ...withMetadata }],
  ["pieces_have", "number", "how many are there", { since: "2.15.1", ...withMetadata }],
  ["total_wasted", "bytes", "downloaded for nothing", { since: "2.15.1" }],
];

/** Above 9999 qBittorrent says -1 (`adjustRatio` in serialize_torrent.cpp), which would be the lowest ratio of all. */
function asRatio(name: string): Pick<Field, "read"> {
  return { read: ({ info }) => (info[name] === -1 ? 9999 : plainValue(info[name])) };
}

/** -1 says that nobody knows: that is less than nothing only to a program. */
function unlessUnknown(name: string): Pick<Field, "read"> {
  return { read: ({ info }) => (info[name] === -1 ? undefined : plainValue(info[name])) };
}

function plainValue(value: unknown): Value {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tests of the reader below see any type
  return value as Value;
}

export function infoFields(): Field[] {
  const plain = rows.map(([name, type, about, extra]): Field => {
    const read: Field["read"] = ({ info }) => plainValue(info[name]);
    return { name: `info.${name}`, type, isList: false, source: "list", about, read, ...extra };
  });
  const tags: Field = {
    name: "info.tags",
    type: "text",
    isList: true,
    source: "list",
    about: "its tags",
    read: ({ info }) => tagsOf(info),
  };
  return [...plain, tags];
}
