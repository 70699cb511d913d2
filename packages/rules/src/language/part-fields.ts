import type { Field, FieldType, Value } from "./field.ts";
import type { Subject } from "../plan/subject.ts";
import type { PartName } from "./source.ts";

type Row = readonly [name: string, type: FieldType, about: string, extra?: Partial<Field>];

const parts: Readonly<
  Record<string, { part: PartName; isList: boolean; needsMetadata?: true; rows: readonly Row[] }>
> = {
  trackers: {
    part: "trackers",
    isList: true,
    rows: [
      ["url", "text", "announce URL of any kind (http, udp, wss)", { source: "trackerUrls" }],
      [
        "status",
        "number",
        "0 disabled, 1 not contacted, 2 working, 3 updating, 4 not working; 5.2+: 5 error, 6 unreachable",
      ],
      ["tier", "number", "tier"],
      ["num_peers", "number", "peers it told of"],
      ["num_seeds", "number", "seeds it told of"],
      ["num_leeches", "number", "leechers it told of"],
      ["num_downloaded", "number", "completed downloads it told of"],
      ["msg", "text", "what it said, or why it was not reached"],
    ],
  },
  files: {
    part: "files",
    isList: true,
    needsMetadata: true,
    rows: [
      ["index", "number", "place in the torrent, from 0"],
      ["name", "text", "path below the save path, with `/`"],
      ["size", "bytes", "size"],
      ["progress", "number", "0 to 1"],
      ["priority", "number", "0 not wanted, 1 normal, 6 high, 7 maximum"],
      ["is_seed", "boolean", "the torrent is complete (told with the first file only)"],
      ["availability", "number", "copies among the peers; -1 unknown"],
    ],
  },
  peers: {
    part: "peers",
    isList: true,
    rows: [
      ["id", "text", "address:port"],
      ["ip", "text", "address"],
      ["port", "number", "port"],
      ["client", "text", "its program"],
      ["progress", "number", "0 to 1"],
      ["country", "text", "country"],
      ["country_code", "text", "country, two letters"],
      ["connection", "text", "kind of connection"],
      ["flags", "text", "flags as the Web UI shows them"],
      ["dl_speed", "bytes", "bytes/s from it"],
      ["up_speed", "bytes", "bytes/s to it"],
      ["downloaded", "bytes", "received from it"],
      ["uploaded", "bytes", "sent to it"],
      ["relevance", "number", "how much it has of what is missing here, 0 to 1"],
    ],
  },
  webseeds: { part: "webseeds", isList: true, rows: [["url", "text", "URL"]] },
  properties: {
    part: "properties",
    isList: false,
    rows: [
      ["save_path", "text", "where complete data belongs", { inList: "save_path" }],
      ["comment", "text", "comment of the torrent file", { inList: "comment", needsMetadata: true }],
      [
        "created_by",
        "text",
        "program that made the torrent file",
        { inList: "created_by", needsMetadata: true },
      ],
      [
        "creation_date",
        "time",
        "when the torrent file was made",
        { inList: "creation_date", needsMetadata: true },
      ],
      ["piece_size", "bytes", "size of a piece", { inList: "piece_size", needsMetadata: true }],
      ["pieces_num", "number", "how many pieces", { inList: "pieces_num", needsMetadata: true }],
      ["pieces_have", "number", "how many are there", { inList: "pieces_have", needsMetadata: true }],
      ["total_wasted", "bytes", "downloaded for nothing", { inList: "total_wasted" }],
      ["total_size", "bytes", "all data", { inList: "total_size", needsMetadata: true }],
      ["total_uploaded", "bytes", "uploaded in all"],
      ["total_uploaded_session", "bytes", "uploaded since the start"],
      ["total_downloaded", "bytes", "downloaded in all"],
      ["total_downloaded_session", "bytes", "downloaded since the start"],
      ["up_limit", "bytes", "upload limit, bytes/s; -1 none"],
      ["dl_limit", "bytes", "download limit, bytes/s; -1 none"],
      ["time_elapsed", "seconds", "time spent not stopped"],
      ["seeding_time", "seconds", "time spent seeding"],
      ["nb_connections", "number", "connections"],
      ["nb_connections_limit", "number", "connection limit"],
      ["share_ratio", "number", "uploaded / downloaded; 9999 also for more", { read: readShareRatio }],
      ["addition_date", "time", "when it was added"],
      ["completion_date", "time", "when it was completed; never: -1"],
      ["dl_speed_avg", "bytes", "average download speed, bytes/s"],
      ["dl_speed", "bytes", "download speed, bytes/s"],
      ["up_speed_avg", "bytes", "average upload speed, bytes/s"],
      ["up_speed", "bytes", "upload speed, bytes/s"],
      ["eta", "seconds", "time to completion; 8640000: unknown"],
      ["last_seen", "time", "when a complete copy was last seen"],
      ["peers", "number", "leechers it is connected to"],
      ["peers_total", "number", "leechers in the swarm"],
      ["seeds", "number", "seeds it is connected to"],
      ["seeds_total", "number", "seeds in the swarm"],
      ["reannounce", "seconds", "time to the next announce"],
    ],
  },
};

export function partFields(): Field[] {
  return Object.entries(parts).flatMap(([namespace, { part, isList, needsMetadata, rows }]) =>
    rows.map(([property, type, about, extra]): Field => ({
      name: `${namespace}.${property}`,
      type,
      isList,
      source: part,
      about,
      ...(needsMetadata !== undefined && { needsMetadata }),
      // Where URLs come from a cheaper source than the rest, they are read from there.
      read: isList
        ? readEach(extra?.source === "trackerUrls" ? "trackerUrls" : part, property)
        : readOne(part, property),
      ...extra,
    })),
  );
}

function readOne(part: PartName, property: string): Field["read"] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what an unexpected type means is told by the operators
  return (subject) => subject.part(part)?.[0]?.[property] as Value;
}

/** Above 9999 qBittorrent says -1, which would be the lowest ratio of all. */
function readShareRatio(subject: Subject): Value {
  const ratio = readOne("properties", "share_ratio")(subject);
  return ratio === -1 ? 9999 : ratio;
}

function readEach(part: PartName, property: string): Field["read"] {
  return (subject) =>
    subject.part(part)?.flatMap((item) => {
      const value = item[property];
      return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
        ? [value]
        : [];
    });
}
