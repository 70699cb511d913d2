import { infohashesOf, type Torrent } from "@qbit-sidecars/qbit-client";

/** What a hook says of a torrent: its id (%K), v1 (%I) or v2 infohash (%J), "-" for one it has not. */
export type Said = { ok: true; ref: string } | { ok: true; ref: undefined } | { ok: false };

const hashPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/**
 * Takes the first usable hash of a request. `ref: undefined`: qBittorrent said "-" for it, so there is a new torrent,
 * and which one has to be found out.
 */
export function readHashes(query: URLSearchParams): Said {
  const said = ["id", "hash", "v2"].flatMap((name) => query.getAll(name)).map((text) => text.trim());
  const ref = said.find((text) => hashPattern.test(text));
  if (ref !== undefined) return { ok: true, ref: ref.toLowerCase() };
  return said.length > 0 && said.every((text) => text === "-" || text === "")
    ? { ok: true, ref: undefined }
    : { ok: false };
}

/**
 * Finds torrents by any of their three names: the id is the v1 infohash of a v1 torrent and the beginning of the v2
 * infohash of any other, so that a hybrid's v1 infohash finds nothing in qBittorrent itself.
 */
export function torrentFinder(torrents: ReadonlyMap<string, Torrent>) {
  let byV1: Map<string, Torrent> | undefined;
  return (ref: string): Torrent | undefined => {
    const found = torrents.get(ref.slice(0, 40));
    if (found !== undefined && (ref.length === 40 || startsWithId(ref, found))) return found;
    if (ref.length !== 40) return undefined;
    byV1 ??= new Map(
      [...torrents.values()].flatMap((torrent) => {
        const { v1 } = infohashesOf(torrent);
        return v1 === null ? [] : [[v1, torrent] as const];
      }),
    );
    return byV1.get(ref);
  };
}

function startsWithId(ref: string, torrent: Torrent): boolean {
  const { v2 } = infohashesOf(torrent);
  return v2 === null ? ref.startsWith(torrent.hash) : v2 === ref;
}
