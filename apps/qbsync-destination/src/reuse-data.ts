import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { unlessMissing } from "./error-code.ts";
import type { StoredTorrent } from "./stored-torrent.ts";
import { countByFile, filesOf, piecesOf } from "./wanted-pieces.ts";

/** Files of finished torrents by their size: where other torrents find data that was verified before. */
export class ReusableFiles {
  readonly #bySize = new Map<number, Set<string>>();

  add(torrent: Pick<StoredTorrent, "layout" | "files">): void {
    for (const { index, size } of torrent.layout.files) {
      if (size < smallestBytes || !torrent.files.isPlaced(index)) continue;
      const paths = this.#bySize.get(size) ?? new Set();
      paths.add(torrent.files.path(index));
      this.#bySize.set(size, paths);
    }
  }

  withSize(size: number): Iterable<string> {
    return this.#bySize.get(size) ?? [];
  }
}

/** Smaller files are sent rather than looked for. */
const smallestBytes = 64 * 1024;
const candidatesAtMost = 8;

export type Reuse = { reusedBytes: number; hashedBytes: number };

export type ReuseOptions = {
  reusable: ReusableFiles;
  /** Called before each piece is read; throwing ends it. */
  onPiece: () => void;
};

/**
 * Looks for data of a torrent that is on the disk already: under the very names it will have, or in a finished
 * torrent. All of it is hashed. Whole files are taken as they are or get a second name; of others, the pieces that
 * are right are copied.
 */
export async function reuseData(torrent: StoredTorrent, options: ReuseOptions): Promise<Reuse> {
  await using search = new Search(torrent, options);
  await search.findCandidates();
  const verified = await search.verifyPieces();
  return search.take(verified);
}

type Candidate = { path: string; handle: FileHandle; isOwnName: boolean };

class Search implements AsyncDisposable {
  readonly #torrent: StoredTorrent;
  readonly #options: ReuseOptions;
  readonly #candidates = new Map<number, Candidate>();
  #hashedBytes = 0;
  #reusedBytes = 0;

  constructor(torrent: StoredTorrent, options: ReuseOptions) {
    this.#torrent = torrent;
    this.#options = options;
  }

  async findCandidates(): Promise<void> {
    const { layout, files } = this.#torrent;
    const needed = countByFile(layout, this.#torrent.needed());
    for (const { index, size } of layout.files) {
      if (size === 0 || needed[index] === 0 || files.isThere(index)) continue;
      const candidate = await this.#candidateFor(index, size);
      if (candidate) this.#candidates.set(index, candidate);
      if (this.#candidates.size >= openAtMost) return;
    }
  }

  /** Pieces that are right where all their bytes are in candidates. */
  async verifyPieces(): Promise<Set<number>> {
    const verified = new Set<number>();
    if (this.#candidates.size === 0) return verified;
    for (const piece of this.#torrent.needed())
      if (this.#covers(piece) && (await this.#read(piece)) !== undefined) verified.add(piece);
    return verified;
  }

  async take(verified: ReadonlySet<number>): Promise<Reuse> {
    const copied = new Set(verified);
    for (const [file, candidate] of this.#candidates)
      if (this.#isWhole(file, verified)) await this.#takeFile(file, candidate);
    for (const piece of copied) await this.#takePiece(piece);
    await this.#torrent.flush();
    return { reusedBytes: this.#reusedBytes, hashedBytes: this.#hashedBytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#candidates.values()].map(({ handle }) => handle.close()));
  }

  async #candidateFor(file: number, size: number): Promise<Candidate | undefined> {
    const { files } = this.#torrent;
    const paths = [
      files.path(file),
      ...[...this.#options.reusable.withSize(size)].slice(0, candidatesAtMost),
    ];
    for (const path of new Set(paths)) {
      const handle = await openOfSize(path, size);
      if (handle === undefined) continue;
      const candidate = { path, handle, isOwnName: path === files.path(file) };
      this.#candidates.set(file, candidate);
      if (await this.#looksRight(file)) return candidate;
      this.#candidates.delete(file);
      await handle.close();
    }
    return undefined;
  }

  /** The first wanted piece that lies wholly in this file is right, or there is none. */
  async #looksRight(file: number): Promise<boolean> {
    const { layout } = this.#torrent;
    for (const piece of piecesOf(layout, file).take(2))
      if (this.#torrent.isWanted(piece) && filesOf(layout, piece).size === 1)
        return (await this.#read(piece)) !== undefined;
    return true;
  }

  #covers(piece: number): boolean {
    return [...filesOf(this.#torrent.layout, piece)].every(
      (file) => this.#candidates.has(file) || this.#torrent.files.isPlaced(file),
    );
  }

  /** The piece's payload, if it is right. */
  async #read(piece: number): Promise<Buffer | undefined> {
    this.#options.onPiece();
    const { layout, files } = this.#torrent;
    const payload = Buffer.allocUnsafe(layout.pieceSize(piece));
    let at = 0;
    for (const slice of layout.slices(piece)) {
      const part = payload.subarray(at, at + slice.length);
      const handle = this.#candidates.get(slice.file)?.handle;
      const read = handle
        ? (await handle.read(part, 0, part.length, slice.offset)).bytesRead
        : await files.read(slice, part);
      if (read < part.length) return undefined;
      at += slice.length;
    }
    this.#hashedBytes += payload.length;
    const verifier = layout.verifier(piece);
    verifier.update(payload);
    return verifier.matches() ? payload : undefined;
  }

  /** All of it is right that is wanted. */
  #isWhole(file: number, verified: ReadonlySet<number>): boolean {
    for (const piece of piecesOf(this.#torrent.layout, file))
      if (this.#torrent.isWanted(piece) && !verified.has(piece) && !this.#torrent.isWritten(piece))
        return false;
    return true;
  }

  async #takeFile(file: number, { path, isOwnName }: Candidate): Promise<void> {
    if (isOwnName) await this.#torrent.files.adopt(file);
    else await this.#torrent.files.linkFrom(file, path);
  }

  /** Parts in files that were taken are there; the others are written. */
  async #takePiece(piece: number): Promise<void> {
    const { layout, files } = this.#torrent;
    const isThere = [...filesOf(layout, piece)].every((file) => files.isPlaced(file));
    if (!isThere && !(await this.#copy(piece))) return;
    this.#reusedBytes += layout.pieceSize(piece);
    await this.#torrent.pieceWritten(piece, () => {});
  }

  async #copy(piece: number): Promise<boolean> {
    const payload = await this.#read(piece);
    if (payload === undefined) return false;
    let at = 0;
    for (const slice of this.#torrent.layout.slices(piece)) {
      await this.#torrent.files.write(slice, payload.subarray(at, at + slice.length));
      at += slice.length;
    }
    return true;
  }
}

/** File handles of candidates that are open at the same time. */
const openAtMost = 1000;

async function openOfSize(path: string, size: number): Promise<FileHandle | undefined> {
  const found = await unlessMissing(lstat(path));
  if (found?.isFile() !== true || found.size !== size) return undefined;
  return unlessMissing(open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
}
