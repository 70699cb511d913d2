import type { Torrent } from "@qbit-sidecars/qbit-client";

/** All torrents by where their data is, to find those that use the same. */
export class LibraryIndex {
  readonly #byPath = new Map<string, Torrent[]>();
  readonly size: number;

  constructor(torrents: readonly Torrent[]) {
    this.size = torrents.length;
    for (const torrent of torrents) {
      const path = pathOf(torrent);
      if (path === undefined) continue;
      // A torrent is found under its own path and under every folder above it.
      for (let at = path.length; at > 0; at = path.lastIndexOf("/", at - 1)) {
        const place = path.slice(0, at);
        const there = this.#byPath.get(place);
        if (there === undefined) this.#byPath.set(place, [torrent]);
        else there.push(torrent);
      }
    }
  }

  /** Other torrents whose data is the same, inside of it, or around it. */
  sharing(torrent: Torrent): Torrent[] {
    const path = pathOf(torrent);
    if (path === undefined) return [];
    const found = new Set(this.#byPath.get(path));
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      for (const other of this.#byPath.get(path.slice(0, at)) ?? [])
        if (pathOf(other)?.length === at) found.add(other);
    }
    return [...found].filter(({ hash }) => hash !== torrent.hash);
  }
}

function pathOf({ content_path: path }: Torrent): string | undefined {
  if (path === undefined || path === "") return undefined;
  const plain = path.replaceAll("\\", "/").replace(/\/+$/, "");
  return plain === "" ? undefined : plain;
}
