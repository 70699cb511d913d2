import type { Torrent } from "@qbit-sidecars/qbit-client";
import { posix } from "node:path";

type Placed = Pick<Torrent, "hash" | "content_path">;

/** All torrents by where their data is, to find those that use the same. */
export class LibraryIndex {
  readonly #at = new Map<string, string[]>();
  readonly #below = new Map<string, string[]>();
  /** How many torrents there are, with known data or without. */
  size = 0;

  constructor(torrents: Iterable<Placed> = []) {
    for (const torrent of torrents) this.add(torrent);
  }

  add(torrent: Placed): void {
    this.size += 1;
    const path = pathOf(torrent);
    if (path === undefined) return;
    note(this.#at, path, torrent.hash);
    for (const folder of foldersAbove(path)) note(this.#below, folder, torrent.hash);
  }

  /** Hashes of other torrents whose data is the same, inside of it, or around it. */
  sharing(torrent: Placed): string[] {
    const path = pathOf(torrent);
    if (path === undefined) return [];
    const places = [this.#at.get(path), this.#below.get(path)];
    for (const folder of foldersAbove(path)) places.push(this.#at.get(folder));
    const found = new Set(places.flatMap((hashes) => hashes ?? []));
    found.delete(torrent.hash);
    return [...found];
  }
}

function note(map: Map<string, string[]>, path: string, hash: string): void {
  const there = map.get(path);
  if (there === undefined) map.set(path, [hash]);
  else there.push(hash);
}

function* foldersAbove(path: string): Generator<string> {
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) yield path.slice(0, at);
}

/**
 * One spelling for what may be one place: there are file systems that take capitals for small letters, and composed
 * letters for decomposed ones, and nobody tells which it is. Data that is only thought to be shared stays.
 */
function pathOf({ content_path: path }: Placed): string | undefined {
  if (path === undefined || path === "") return undefined;
  const plain = posix
    .normalize(path.replaceAll("\\", "/"))
    .replace(/\/+$/, "")
    .normalize("NFC")
    .toLowerCase();
  return plain === "" ? undefined : plain;
}
