/** Torrents to act on. `"all"` is a word of its own: inside an array only hashes are taken. */
export type Hashes = readonly string[] | "all";

const hexHash = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/**
 * The id under which qBittorrent knows a torrent: 40 hex digits, which is the v1 infohash, or the beginning of
 * the v2 infohash for hybrid and v2 torrents. A full v2 infohash is shortened. Anything else is a `TypeError`:
 * qBittorrent would take `all`, or nothing at all, for every torrent it has.
 */
export function torrentId(hash: string): string {
  if (!hexHash.test(hash))
    throw new TypeError(`"${hash.slice(0, 80)}" is not an infohash of 40 or 64 hex digits`);
  return hash.toLowerCase().slice(0, 40);
}

/** The `hashes` parameter; `undefined` for an empty list, which must not be sent (it would mean all). */
export function hashesParam(hashes: Hashes): string | undefined {
  if (hashes === "all") return "all";
  return hashes.length === 0 ? undefined : hashes.map(torrentId).join("|");
}
