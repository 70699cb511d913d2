import type { Torrent } from "@qbit-sidecars/qbit-client";
import { leavesOf } from "../compile/condition.ts";
import type { Rule } from "../compile/rule.ts";

/** What actions, guards and derived fields read, whatever the rules say. */
const alwaysRead: readonly (keyof Torrent)[] = [
  "hash",
  "name",
  "state",
  "progress",
  "total_size",
  "category",
  "tags",
  "save_path",
  "content_path",
  "added_on",
  "seeding_time",
  "private",
  "has_metadata",
  "auto_tmm",
  "force_start",
  "super_seeding",
  "seq_dl",
  "f_l_piece_prio",
  "up_limit",
  "dl_limit",
  "ratio_limit",
  "seeding_time_limit",
  "inactive_seeding_time_limit",
  "priority",
];

/**
 * Copies of torrents with the fields only that these rules can ask for. qBittorrent tells 60, of which a magnet link
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
  const keys = [...new Set([...alwaysRead, ...asked])];
  return (torrent) => {
    const slim: Partial<Torrent> = {};
    for (const key of keys) {
      const value = torrent[key];
      if (value !== undefined) slim[key] = value;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is left out is not read: see the tests
    return slim as Torrent;
  };
}
