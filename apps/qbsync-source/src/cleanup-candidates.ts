import { isComplete, tagsOf, type Torrent } from "@qbit-sidecars/qbit-client";
import { type ContentFiles, freedBytes } from "./content-files.ts";
import type { CleanupGroup, CleanupTorrent } from "./plan-cleanup.ts";
import { groupsOf } from "./shared-files.ts";
import type { Tags, TrackedTorrent } from "./tracked-torrent.ts";

export type CandidateContext = {
  tags: Tags & { excludeCleanup: string };
  /** By id; those that were not looked up are left out. */
  contents: ReadonlyMap<string, ContentFiles>;
  /** What is left alone for a while, and why, by id. */
  holds: ReadonlyMap<string, { why: string; until: number }>;
  /** Monotonic milliseconds. */
  now: number;
  /** How long qBittorrent has been up with its list whole. */
  listedForMs: number;
};

/** What matters for whether they are handed over, of all torrents that qBittorrent lists. */
export function candidatesOf(
  torrents: Iterable<TrackedTorrent>,
  { tags, contents, holds, now, listedForMs }: CandidateContext,
): CleanupTorrent[] {
  return [...torrents]
    .filter(({ goneSince }) => goneSince === undefined)
    .map((tracked) => {
      const { id, torrent } = tracked;
      const hold = holds.get(id);
      const own = tagsOf(torrent);
      return {
        id,
        name: torrent.name,
        isComplete: torrent.progress === 1 && isComplete(torrent.state),
        isSynced: tracked.isThere(contents.get(id)?.wantedPieces ?? []),
        hasSyncedTag: tags.synced === "" || own.includes(tags.synced),
        isExcluded: tags.excludeCleanup !== "" && own.includes(tags.excludeCleanup),
        seedingTimeMs: tracked.seedingTime.at(torrent, { now, listedForMs }),
        popularity: Math.max(0, torrent.num_complete) + Math.max(0, torrent.num_incomplete),
        sizeBytes: torrent.size,
        hold: hold !== undefined && hold.until > now ? hold.why : undefined,
        isOnDisk: contents.get(id)?.isOnDisk,
      };
    });
}

/** Torrents that share files, and what removing each group frees. */
export function groupsWith(
  torrents: readonly Torrent[],
  contents: ReadonlyMap<string, ContentFiles>,
): CleanupGroup[] {
  const groups = groupsOf(torrents.map(({ hash }) => ({ id: hash, files: contents.get(hash)?.keys ?? [] })));
  return groups.map((ids) => ({ ids, freesBytes: freedBytes(ids.flatMap((id) => contents.get(id) ?? [])) }));
}
