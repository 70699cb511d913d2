import { type QbitClient, QbitNotFoundError, type Torrent } from "@qbit-sidecars/qbit-client";
import { lstat, stat } from "node:fs/promises";
import { posix } from "node:path";
import { foldersOf, type Mounts, toLocal } from "./data-folders.ts";
import { inParallel } from "./follow-qbittorrent.ts";

/** The files of a torrent as far as they can be seen. */
export type ContentFiles = {
  /** What identifies each: `path …` in qBittorrent's words, and `inode …` where it can be looked at. */
  keys: readonly string[];
  /** How often the data of each file is linked from anywhere, and its bytes on the disk. */
  inodes: readonly { key: string; path: string; links: number; bytes: number }[];
  /** Whether all that are wanted were found, on the same disk as `--data`. */
  isOnDisk: boolean;
  /** First and last piece of each file that is wanted and holds anything, as far as qBittorrent tells. */
  wantedPieces: readonly (readonly [first: number, last: number])[];
};

type ListedFile = { name: string; isWanted: boolean; pieces: readonly [number, number] | undefined };

export type ContentOptions = {
  client: Pick<QbitClient["torrents"], "files">;
  mounts: (signal: AbortSignal) => Promise<Mounts>;
  /** `--data`. */
  data: string;
  count: (operation: string) => void;
};

const atOnce = 4;

/** Looks up which files torrents have; what was found holds until the torrent is moved, renamed or grows. */
export class ContentLookup {
  readonly #options: ContentOptions;
  readonly #known = new Map<string, { where: string; files: readonly ListedFile[] }>();

  constructor(options: ContentOptions) {
    this.#options = options;
  }

  /** @throws QbitError when qBittorrent cannot be asked: then nothing is known of who shares what */
  async look(torrents: readonly Torrent[], signal: AbortSignal): Promise<Map<string, ContentFiles>> {
    const found = new Map<string, ContentFiles>();
    const mounts = await this.#options.mounts(signal);
    const { dev } = await stat(this.#options.data);
    for (const id of this.#known.keys())
      if (!torrents.some(({ hash }) => hash === id)) this.#known.delete(id);
    await inParallel(torrents, atOnce, async (torrent) => {
      const files = await this.#filesOf(torrent, signal);
      const names = files.map(({ name }) => name);
      found.set(torrent.hash, await lookAt({ torrent, files, names, mounts, dev }));
    });
    // In the order of the torrents, not in that of the answers: what is planned from it is the same each time.
    const places = new Map(torrents.map(({ hash }, place) => [hash, place]));
    const placeOf = (id: string) => places.get(id) ?? 0;
    return new Map([...found].toSorted(([a], [b]) => placeOf(a) - placeOf(b)));
  }

  async #filesOf(torrent: Torrent, signal: AbortSignal) {
    const { hash, name, save_path, content_path, size, completed } = torrent;
    // Both are of what is selected.
    const where = JSON.stringify([name, save_path, content_path, size, completed]);
    const known = this.#known.get(hash);
    if (known?.where === where) return known.files;
    this.#options.count("files");
    const listed = await this.#options.client.files(hash, { signal }).catch((error: unknown) => {
      // It was removed a moment ago.
      if (error instanceof QbitNotFoundError) return [];
      throw error;
    });
    const files = listed.map(({ name: file, priority, size: bytes, piece_range: [first, last] = [] }) => {
      const isKnown = first !== undefined && last !== undefined && bytes > 0;
      return { name: file, isWanted: priority > 0, pieces: isKnown ? ([first, last] as const) : undefined };
    });
    this.#known.set(hash, { where, files });
    return files;
  }
}

type Looked = {
  torrent: Torrent;
  files: readonly ListedFile[];
  names: readonly string[];
  mounts: Mounts;
  dev: number;
};

async function lookAt({ torrent, files, names, mounts, dev }: Looked): Promise<ContentFiles> {
  // The likeliest folder; `keys` of two torrents must not depend on what is where else.
  const [folder = torrent.save_path] = foldersOf(torrent, names);
  const keys: string[] = [];
  const inodes: { key: string; path: string; links: number; bytes: number }[] = [];
  let isOnDisk = files.length > 0;
  for (const { name, isWanted } of files) {
    const path = posix.join(folder, name);
    keys.push(`path ${path}`);
    const seen = await lstat(posix.join(toLocal(folder, mounts), name)).catch(() => undefined);
    if (seen === undefined || !seen.isFile() || seen.dev !== dev) {
      isOnDisk = isOnDisk && !isWanted;
      continue;
    }
    const key = `inode ${seen.dev} ${seen.ino}`;
    keys.push(key);
    inodes.push({ key, path, links: seen.nlink, bytes: seen.blocks * 512 });
  }
  const wantedPieces = files.flatMap(({ isWanted, pieces }) => (isWanted && pieces ? [pieces] : []));
  return { keys, inodes, isOnDisk, wantedPieces };
}

/** The bytes that removing all of these frees: data that is linked from elsewhere stays. */
export function freedBytes(contents: readonly ContentFiles[]): number {
  const inodes = new Map<string, { links: number; bytes: number; paths: Set<string> }>();
  for (const { key, path, links, bytes } of contents.flatMap((content) => content.inodes))
    inodes.set(key, { links, bytes, paths: (inodes.get(key)?.paths ?? new Set<string>()).add(path) });
  let sum = 0;
  for (const { links, bytes, paths } of inodes.values()) if (paths.size >= links) sum += bytes;
  return sum;
}
