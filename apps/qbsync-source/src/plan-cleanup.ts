/** A torrent, as far as it matters for whether it is handed over. */
export type CleanupTorrent = {
  id: string;
  name: string;
  /** Complete and checked here, and qBittorrent is not busy with it. */
  isComplete: boolean;
  /** Complete at the destination. */
  isSynced: boolean;
  /** It has the tag for that, or there is none. */
  hasSyncedTag: boolean;
  /** A tag says that it stays. */
  isExcluded: boolean;
  seedingTimeMs: number;
  /** Peers in the swarm. */
  popularity: number;
  sizeBytes: number;
  /** Why it is not tried again yet. */
  hold: string | undefined;
  /** Undefined: its files were not looked up yet. */
  isOnDisk: boolean | undefined;
};

/** Torrents that share files, and what removing all of them frees. */
export type CleanupGroup = { ids: readonly string[]; freesBytes: number };

/** Why anything is removed: the disk is too full, or the machine is to be emptied. */
export type CleanupPurpose =
  | { kind: "space"; freeBytes: number; minSpaceBytes: number; minSeedingTimeMs: number }
  | { kind: "drain" };

export type CleanupPlan = {
  /** In the order in which they are to be handed over. */
  chosen: CleanupGroup[];
  /** Why each of the others stays, by id. */
  stay: Map<string, string>;
};

/**
 * Which groups are handed over. With little space, only as many as are needed. First the ones that the fewest peers
 * are interested in (the seedbox has the better line, so it keeps what is wanted), of those the ones that were seeded
 * longest, of those the largest: the order of the tool that people come from.
 */
export function planCleanup(
  torrents: readonly CleanupTorrent[],
  groups: readonly CleanupGroup[],
  purpose: CleanupPurpose,
): CleanupPlan {
  const byId = new Map(torrents.map((torrent) => [torrent.id, torrent]));
  const stay = new Map<string, string>();
  const candidates: { group: CleanupGroup; members: CleanupTorrent[] }[] = [];
  for (const group of groups) {
    const members = group.ids.flatMap((id) => byId.get(id) ?? []);
    const reasons = members.map((torrent) => whyNotCleaned(torrent, purpose));
    const at = reasons.findIndex((reason) => reason !== undefined);
    if (at === -1) candidates.push({ group, members });
    else
      for (const [index, { id }] of members.entries())
        stay.set(id, reasons[index] ?? `shares files with ${members[at]?.name}: ${reasons[at]}`);
  }
  candidates.sort((a, b) => compare(a.members, b.members));
  if (purpose.kind === "drain") return { chosen: candidates.map(({ group }) => group), stay };
  const chosen: CleanupGroup[] = [];
  let free = purpose.freeBytes;
  for (const { group, members } of candidates) {
    if (free < purpose.minSpaceBytes && group.freesBytes > 0) {
      chosen.push(group);
      free += group.freesBytes;
      continue;
    }
    const why =
      free < purpose.minSpaceBytes
        ? "removing it frees nothing: its data is linked from elsewhere"
        : `there is room: ${gigabytes(free)} of ${gigabytes(purpose.minSpaceBytes)} are free`;
    for (const { id } of members) stay.set(id, why);
  }
  return { chosen, stay };
}

/** Why a torrent must not be removed, whatever else is removed; undefined when it may. */
function whyNotCleaned(torrent: CleanupTorrent, purpose: CleanupPurpose): string | undefined {
  if (torrent.isExcluded) return "its tag says that it stays";
  if (!torrent.isComplete) return "it is not complete here";
  if (!torrent.isSynced) return "it is not complete at the destination";
  if (purpose.kind === "drain") return undefined;
  // A person may have taken it off a moment ago, to keep it.
  if (!torrent.hasSyncedTag) return "qBittorrent does not show the tag for synced torrents yet";
  if (torrent.hold !== undefined) return torrent.hold;
  if (torrent.seedingTimeMs < purpose.minSeedingTimeMs)
    return `it was seeded for ${seconds(torrent.seedingTimeMs)} of ${seconds(purpose.minSeedingTimeMs)}`;
  if (torrent.isOnDisk === false) return "its files are not seen on the disk of --data";
  return undefined;
}

function compare(a: readonly CleanupTorrent[], b: readonly CleanupTorrent[]): number {
  const most = (torrents: readonly CleanupTorrent[], value: (torrent: CleanupTorrent) => number) =>
    Math.max(...torrents.map((torrent) => value(torrent)));
  return (
    most(a, ({ popularity }) => popularity) - most(b, ({ popularity }) => popularity) ||
    most(b, ({ seedingTimeMs }) => seedingTimeMs) - most(a, ({ seedingTimeMs }) => seedingTimeMs) ||
    most(b, ({ sizeBytes }) => sizeBytes) - most(a, ({ sizeBytes }) => sizeBytes)
  );
}

const seconds = (ms: number): string => `${Math.floor(ms / 1000)} s`;

/** As in `--min-space`: a GB is 10⁹ bytes. What is much smaller is told in MB, or it would be "0.0 GB". */
export const gigabytes = (bytes: number): string =>
  bytes > 0 && bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

/** "1 torrent", "2 torrents". */
export const countOfTorrents = (count: number): string => `${count} ${count === 1 ? "torrent" : "torrents"}`;

/** Torrents in these groups. */
export const countIn = (groups: readonly CleanupGroup[]): number =>
  groups.reduce((count, { ids }) => count + ids.length, 0);
