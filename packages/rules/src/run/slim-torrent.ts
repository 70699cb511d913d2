import type { Torrent } from "@qbit-sidecars/qbit-client";
import { leavesOf } from "../compile/condition.ts";
import type { Rule } from "../compile/rule.ts";

/**
 * Copies of torrents with only the fields that these rules can ask for. qBittorrent tells 60, of which a magnet link
 * alone is half a kilobyte.
 */
export function slimmer(rules: readonly Rule[]): (torrent: Torrent) => Torrent {
  const fields = rules.flatMap(({ condition, actions }) => [
    ...leavesOf(condition).map(({ field }) => field),
    ...actions.flatMap(({ params }) => params.fields),
  ]);
  const asked = fields.flatMap(({ name, inList }) => [
    ...(name.startsWith("info.") ? [name.slice("info.".length)] : []),
    ...(inList === undefined ? [] : [inList]),
  ]);
  const keys = new Set(asked);
  return (torrent) => {
    const slim = alwaysRead(torrent);
    for (const key of keys) slim[key] = torrent[key];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody reads what is left out: see the tests
    return slim as Torrent;
  };
}

/**
 * What actions, guards and derived fields read, whatever the rules say. Written out, because V8 keeps an object that
 * is filled key by key as a dictionary of 1.5 kB.
 */
function alwaysRead(torrent: Torrent): Record<string, unknown> {
  return {
    hash: torrent.hash,
    name: torrent.name,
    state: torrent.state,
    progress: torrent.progress,
    total_size: torrent.total_size,
    category: torrent.category,
    tags: torrent.tags,
    save_path: torrent.save_path,
    content_path: torrent.content_path,
    added_on: torrent.added_on,
    seeding_time: torrent.seeding_time,
    private: torrent.private,
    has_metadata: torrent.has_metadata,
    auto_tmm: torrent.auto_tmm,
    force_start: torrent.force_start,
    super_seeding: torrent.super_seeding,
    seq_dl: torrent.seq_dl,
    f_l_piece_prio: torrent.f_l_piece_prio,
    up_limit: torrent.up_limit,
    dl_limit: torrent.dl_limit,
    ratio_limit: torrent.ratio_limit,
    seeding_time_limit: torrent.seeding_time_limit,
    inactive_seeding_time_limit: torrent["inactive_seeding_time_limit"],
    priority: torrent.priority,
    trackers_count: torrent["trackers_count"],
  };
}
