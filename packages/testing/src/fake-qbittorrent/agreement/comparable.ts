import type { Json } from "../answers.ts";
import type { MaindataView } from "./maindata-view.ts";
import type { Operation } from "./operation.ts";
import type { Seen } from "./side.ts";

type Fields = Record<string, Json>;

/**
 * What depends on the time, on peers and trackers, or on the machine. The fake talks to nobody and its clock is not
 * qBittorrent's: these fields must be there, and their values are not compared.
 */
const volatile = new Set(
  (
    "added_on addition_date last_activity last_seen seen_complete completion_on completion_date creation_date " +
    "time_active time_elapsed seeding_time reannounce eta availability popularity tracker " +
    "num_complete num_incomplete num_leechs num_seeds num_peers num_leeches num_downloaded next_announce min_announce updating endpoints status msg " +
    "dlspeed upspeed dl_speed up_speed dl_speed_avg up_speed_avg connections_count nb_connections connection_status has_tracker_error has_other_announce_error has_tracker_warning " +
    "free_space_on_disk average_time_queue queued_io_jobs queued_tracker_announces request_latency total_buffers_size total_queued_size total_peer_connections " +
    "read_cache_hits read_cache_overload write_cache_overload alltime_dl alltime_ul global_ratio last_external_address_v4 last_external_address_v6 " +
    "dl_info_data up_info_data dl_info_speed up_info_speed total_wasted_session " +
    // settings that tell of the machine
    "ssl_listen_port file_log_path web_ui_https_cert_path"
  ).split(" "),
);

/** An answer in a form in which two answers can be equal. */
export function comparable(operation: Operation, { status, contentType, body }: Seen): Json {
  const isJson = contentType.startsWith("application/json") || body.startsWith("{") || body.startsWith("[");
  return { status, contentType, body: isJson ? comparableJson(operation, JSON.parse(body) as Json) : body };
}

function comparableJson(operation: Operation, body: Json): Json {
  const shaped = steady(body);
  if (operation.kind === "read" && operation.name === "torrents/tags")
    return (shaped as string[]).toSorted(byText);
  // Without a column to sort by, any torrent comes first.
  const isInfo = operation.kind === "read" && operation.name === "torrents/info";
  if (isInfo && operation.params["sort"] !== "hash" && Array.isArray(shaped))
    return byHash(shaped as Fields[]);
  if (operation.kind === "change" && operation.name === "torrents/add") return sortedIds(shaped as Fields);
  return shaped;
}

function byHash(torrents: Fields[]): Fields[] {
  return torrents.toSorted((left, right) => byText(left["hash"] as string, right["hash"] as string));
}

function sortedIds(answer: Fields): Fields {
  const ids = answer["added_torrent_ids"];
  return Array.isArray(ids) ? { ...answer, added_torrent_ids: (ids as string[]).toSorted(byText) } : answer;
}

function byText(left: string, right: string): number {
  return left < right ? -1 : 1;
}

export function comparableView(view: MaindataView): Json {
  const trackers = Object.entries(view.trackers).map(([url, ids]) => [
    url,
    (ids as string[]).toSorted(byText),
  ]);
  return {
    ...(steady(view) as Fields),
    torrents: withoutGlobalLimits(view),
    trackers: Object.fromEntries(trackers) as Fields,
  };
}

/** From 4.6 on a change of the global limits is told with the next change of each torrent, whenever that is. */
function withoutGlobalLimits({ torrents }: MaindataView): Fields {
  const limits = new Set(["max_ratio", "max_seeding_time"]);
  const withoutLimits = (fields: Fields) =>
    Object.fromEntries(Object.entries(fields).filter(([key]) => !limits.has(key)));
  const entries = Object.entries(torrents).map(([id, fields]) => [id, steady(withoutLimits(fields))]);
  return Object.fromEntries(entries) as Fields;
}

function steady(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => steady(item));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as Fields).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, steadyField(key, item)]));
}

function steadyField(key: string, value: Json): Json {
  if (volatile.has(key)) return "volatile";
  // Up to 4.3 no limit is -1 or 0, depending on what was set before.
  if ((key === "dl_limit" || key === "up_limit") && typeof value === "number") return Math.max(0, value);
  if (key === "tags" && typeof value === "string") return value.split(", ").toSorted(byText);
  if (key === "magnet_uri" && typeof value === "string") return steadyMagnet(value);
  if (key === "state" && typeof value === "string") return value.replace(/^(queued|downloading)/, "stalled");
  return steady(value);
}

/** Versions of libtorrent escape differently, and list trackers of a tier in any order. */
function steadyMagnet(uri: string): Json {
  const params = new URLSearchParams(uri.slice("magnet:?".length));
  return [...params].map(([key, value]) => `${key}=${value}`).toSorted();
}
