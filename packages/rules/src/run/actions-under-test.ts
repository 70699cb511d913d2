import type { Torrent, TorrentFile } from "@qbit-sidecars/qbit-client";
import { tagsOf } from "@qbit-sidecars/qbit-client";

export type Seen = { torrent: Torrent; files: TorrentFile[]; urls: string[] };
export type ActionCase = {
  action: { type: string; params?: object };
  shows: (seen: Seen, place: string) => boolean;
  again?: "skipped" | "an event";
};

/** Every action, and how one sees that qBittorrent did it. */
export const actionCases: readonly ActionCase[] = [
  { action: { type: "stop" }, shows: ({ torrent }) => torrent.state.startsWith("stopped") },
  { action: { type: "start" }, shows: ({ torrent }) => !torrent.state.startsWith("stopped") },
  { action: { type: "force_start" }, shows: ({ torrent }) => torrent.force_start },
  {
    action: { type: "force_start", params: { enabled: false } },
    shows: ({ torrent }) => !torrent.force_start,
  },
  {
    action: { type: "set_category", params: { category: "Movies-HD" } },
    shows: ({ torrent }) => torrent.category === "Movies-HD",
  },
  { action: { type: "set_category" }, shows: ({ torrent }) => torrent.category === "" },
  {
    action: { type: "add_tag", params: { tags: ["a", "b"] } },
    shows: ({ torrent }) => String(tagsOf(torrent).toSorted()) === "a,b",
  },
  { action: { type: "remove_tag", params: { tag: "a" } }, shows: ({ torrent }) => torrent.tags === "b" },
  {
    action: { type: "set_tags", params: { tags: ["c", "d"] } },
    shows: ({ torrent }) => String(tagsOf(torrent).toSorted()) === "c,d",
  },
  {
    action: { type: "set_upload_limit", params: { limit: "100 KiB" } },
    shows: ({ torrent }) => torrent.up_limit === 102_400,
  },
  {
    action: { type: "set_download_limit", params: { limit: 204_800 } },
    shows: ({ torrent }) => torrent.dl_limit === 204_800,
  },
  { action: { type: "set_upload_limit" }, shows: ({ torrent }) => torrent.up_limit <= 0 },
  {
    action: { type: "set_share_limits", params: { ratio: 2.5, seeding_time: "2 days" } },
    shows: ({ torrent }) => torrent.ratio_limit === 2.5 && torrent.seeding_time_limit === 2880,
  },
  {
    action: { type: "set_share_limits", params: { seeding_time: "unlimited" } },
    shows: ({ torrent }) => torrent.ratio_limit === 2.5 && torrent.seeding_time_limit === -1,
  },
  { action: { type: "set_sequential" }, shows: ({ torrent }) => torrent.seq_dl },
  { action: { type: "set_sequential", params: { enabled: false } }, shows: ({ torrent }) => !torrent.seq_dl },
  { action: { type: "set_first_last_priority" }, shows: ({ torrent }) => torrent.f_l_piece_prio },
  { action: { type: "set_auto_tmm", params: { enabled: true } }, shows: ({ torrent }) => torrent.auto_tmm },
  { action: { type: "set_auto_tmm", params: { enabled: false } }, shows: ({ torrent }) => !torrent.auto_tmm },
  {
    action: { type: "rename", params: { name: "[x] ${info.name}" } },
    shows: ({ torrent }) => torrent.name.startsWith("[x] "),
    again: "an event",
  },
  {
    action: { type: "add_trackers", params: { url: "http://127.0.0.1:1/announce" } },
    shows: ({ urls }) => urls.includes("http://127.0.0.1:1/announce"),
  },
  {
    action: { type: "remove_trackers", params: { url: "http://127.0.0.1:1/announce" } },
    shows: ({ urls }) => urls.length === 0,
  },
  {
    action: { type: "set_file_priority", params: { matching: "(?i)SAMPLE" } },
    shows: ({ files }) => files.find(({ name }) => name.includes("sample"))?.priority === 0,
  },
  {
    action: { type: "set_location", params: { path: "PLACE/moved" } },
    shows: ({ torrent }, place) => torrent.save_path.replace(/\/$/, "") === `${place}/moved`,
  },
  { action: { type: "set_top_priority" }, shows: () => true, again: "an event" },
  { action: { type: "increase_priority" }, shows: () => true, again: "an event" },
  { action: { type: "decrease_priority" }, shows: () => true, again: "an event" },
  { action: { type: "set_bottom_priority" }, shows: () => true, again: "an event" },
  { action: { type: "reannounce" }, shows: () => true, again: "an event" },
  { action: { type: "recheck" }, shows: () => true, again: "an event" },
  { action: { type: "set_super_seeding" }, shows: () => true, again: "an event" },
];
