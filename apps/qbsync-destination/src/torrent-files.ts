import { constants, type BigIntStats } from "node:fs";
import { dirname, join } from "node:path";
import type { Slice as PieceSlice, TorrentLayout } from "@qbit-sidecars/qbsync-protocol";
import type { DataFolder } from "./data-folder.ts";
import { errorCode, unlessMissing } from "./error-code.ts";
import { type ByteRange, haveSameBytes, readAll, writeAll } from "./file-bytes.ts";
import { FilePlaces, isOthersToo, type Place } from "./file-places.ts";
import { type Fragment, takeIn } from "./fragments.ts";
import type { HandlePool } from "./handle-pool.ts";
import type { PinnedFolder } from "./pinned-folder.ts";
import type { LogEntry, Origin, PieceLog } from "./piece-log.ts";
import { conflict, RefusedError } from "./refused.ts";
import { syncFolder } from "./sync-folder.ts";

/** A part of a file. */
type Slice = Pick<PieceSlice, "file" | "offset" | "length">;

/** What `place` may replace: a file under the final name that a torrent of this program put there. */
type Replaceable = { ino: bigint };

export type TorrentFilesOptions = {
  torrentId: string;
  layout: TorrentLayout;
  /** The absolute path of each file. */
  paths: readonly string[];
  data: DataFolder;
  handles: HandlePool;
  log: PieceLog;
  /** What other torrents of this program have under a path as fragments, also those that were replaced since. */
  fragmentsAt: (path: string) => readonly Fragment[];
};

/** No file has this time: the file counts as changed, and is read back before anybody relies on it. */
const neverSeen = 0n;

const unfinishedFlags = constants.O_RDWR | constants.O_NOFOLLOW;
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW;

/**
 * The files of one torrent. Data is written to unfinished files of our own, beside their final place and hidden;
 * a file gets its name when it is whole, and then only if nothing else has that name. So nothing that somebody
 * else made is ever written to, overwritten or deleted, and no inode with a second name is ever written to.
 */
export class TorrentFiles {
  readonly #options: TorrentFilesOptions;
  #paths: readonly string[];
  readonly #places: FilePlaces;
  readonly #replaceable = new Map<number, Replaceable>();
  readonly #creating = new Map<number, Promise<string>>();
  /** Files that went away and began anew: what is noted of their pieces may not be in them. */
  readonly #begunAnew = new Set<number>();
  readonly #dirtyFiles = new Set<number>();
  readonly #dirtyFolders = new Set<string>();

  constructor(options: TorrentFilesOptions) {
    this.#options = options;
    this.#places = new FilePlaces(options.log);
    this.#paths = options.paths;
  }

  /** Takes over what an earlier life of this program noted. @returns files that are not as noted any more */
  async restore(entries: Iterable<LogEntry>): Promise<number[]> {
    this.#places.read(entries);
    const gone: number[] = [];
    for (const [file, place] of this.#places) {
      const found = await this.#find(file, place);
      if (found) this.#places.correct(file, found);
      else gone.push(file);
    }
    for (const file of gone) this.#places.forget(file);
    return gone;
  }

  isPlaced(file: number): boolean {
    return this.#places.placed(file) !== undefined;
  }

  /** Whether anything of it is on the disk. */
  isThere(file: number): boolean {
    return this.#places.get(file) !== undefined;
  }

  path(file: number): string {
    return this.#paths[file] ?? "";
  }

  /** Whether somebody changed the file since it was placed. */
  async isChanged(file: number): Promise<boolean> {
    const place = this.#places.placed(file);
    if (place === undefined) return false;
    const found = await this.#look(this.path(file));
    return found?.ino !== place.ino || found.ctimeNs !== place.ctimeNs || found.size !== this.#size(file);
  }

  /** Forgets what `isChanged` compares with: the file was read and is right. */
  async acceptChange(file: number): Promise<void> {
    const place = this.#places.placed(file);
    const found = await this.#look(this.path(file));
    if (place === undefined || !found) return;
    const { ino, ctimeNs } = found;
    // Another file was put in its place, by somebody else.
    const origin = ino === place.ino ? place.origin : "foreign";
    await this.#places.notePlaced(file, { origin, ino, ctimeNs });
  }

  /**
   * Writes a part of a file. Where the file has its name already, nothing is written that is there anyway.
   *
   * @throws RefusedError when other bytes would have to be written to a file that is not ours
   */
  async write(slice: Slice, bytes: Uint8Array): Promise<void> {
    if (this.isPlaced(slice.file) && (await this.#holds(slice, bytes))) return;
    const path = await this.#unfinished(slice.file);
    await this.#options.handles.with(
      path,
      () => this.#fs.open(path, unfinishedFlags),
      (handle) => writeAll(handle, bytes, slice.offset),
    );
    // Only now: a sync that began during the write does not cover it.
    this.#dirtyFiles.add(slice.file);
  }

  /** Reads a part of a file, or as much as there is of it. */
  async read(slice: Slice, into: Uint8Array): Promise<number> {
    const path = this.isPlaced(slice.file) ? this.path(slice.file) : this.#unfinishedPath(slice.file);
    const handle = await unlessMissing(this.#fs.open(path, readFlags));
    if (handle === undefined) return 0;
    try {
      return await readAll(handle, into.subarray(0, slice.length), slice.offset);
    } finally {
      await handle.close();
    }
  }

  /** Resolves when the disk has all that was written before the call. After an error nothing of it is certain. */
  async sync(): Promise<void> {
    const files = [...this.#dirtyFiles];
    this.#dirtyFiles.clear();
    const folders = [...this.#dirtyFolders];
    this.#dirtyFolders.clear();
    await Promise.all(files.map((file) => this.#syncFile(file)));
    await Promise.all(folders.map(syncFolder));
  }

  /**
   * Gives a file its name once all is there that is wanted of it. It must have been synced. Where a file of the same
   * content has that name, that one is taken instead; another torrent's fragment is taken in and replaced.
   *
   * @param parts what of it came, all of which this torrent stands on
   * @throws RefusedError when something else has that name
   */
  async place(file: number, parts: readonly ByteRange[]): Promise<void> {
    if (this.isPlaced(file)) return;
    // Two files of no bytes do not differ.
    if (this.#size(file) === 0n && !this.isThere(file) && (await this.#isEmpty(this.path(file))))
      return this.adopt(file);
    const from = await this.#unfinished(file);
    await this.#options.handles.close(from);
    await this.#makeFolder(dirname(this.path(file)));
    let origin: Origin = "own";
    try {
      await this.#giveName(file, from);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      if (await this.#agrees(from, file, parts)) {
        await this.adopt(file);
        return this.#fs.unlink(from);
      }
      if (!(await this.#replaceFragment(from, file, parts))) throw error;
      origin = "shared";
    }
    const found = await this.#look(this.path(file));
    if (!found) throw conflict(`${this.path(file)} went away while it was put there`);
    const ctimeNs = this.#begunAnew.delete(file) ? neverSeen : found.ctimeNs;
    await this.#places.notePlaced(file, { origin, ino: found.ino, ctimeNs });
  }

  /** Takes a file that stands under its name already and was verified. */
  async adopt(file: number): Promise<void> {
    const found = await this.#look(this.path(file));
    if (!found?.isFile()) throw conflict(`${this.path(file)} went away while it was looked at`);
    await this.#places.notePlaced(file, { origin: "foreign", ino: found.ino, ctimeNs: found.ctimeNs });
  }

  /** From now on these are somebody else's as well, and stay whatever becomes of this torrent. */
  leave(inodes: ReadonlySet<bigint>): Promise<void> {
    return this.#places.leave(inodes);
  }

  /** Gives a verified file elsewhere this name as well. @returns false where the file system cannot do that */
  async linkFrom(file: number, elsewhere: string): Promise<boolean> {
    await this.#makeFolder(dirname(this.path(file)));
    try {
      await this.#fs.link(elsewhere, this.path(file));
    } catch (error) {
      if (errorCode(error) === "EEXIST") throw taken(this.path(file), error);
      return false;
    }
    this.#dirtyFolders.add(dirname(this.path(file)));
    const found = await this.#look(this.path(file));
    if (!found) return false;
    await this.#places.notePlaced(file, { origin: "link", ino: found.ino, ctimeNs: found.ctimeNs });
    return true;
  }

  /**
   * Other paths for the same files. What is ours is taken along.
   *
   * @returns files that stay where they are, because they are not ours
   */
  async moveTo(paths: readonly string[]): Promise<number[]> {
    const left: number[] = [];
    const from = this.#paths;
    for (const [file, place] of this.#places) {
      if (from[file] === paths[file]) continue;
      this.#paths = from;
      const old = place.kind === "placed" ? this.path(file) : this.#unfinishedPath(file);
      await this.#options.handles.close(old);
      this.#paths = paths;
      if (place.kind === "placed" && isOthersToo(place)) {
        left.push(file);
        this.#places.forget(file);
        continue;
      }
      await this.#makeFolder(dirname(this.path(file)));
      if (place.kind === "unfinished") await this.#fs.rename(old, this.#unfinishedPath(file));
      else await this.#giveName(file, old);
      this.#dirtyFolders.add(dirname(old));
    }
    this.#paths = paths;
    return left;
  }

  /**
   * Deletes what was created for this torrent, except what it had when it was finished.
   *
   * @param what only unfinished files, or also those that have their names
   * @param isUsed tells inodes that another torrent stands on
   */
  async deleteOwn(what: "unfinished" | "all", isUsed: (ino: bigint) => boolean): Promise<number> {
    let deleted = 0;
    for (const [file, place] of this.#places) {
      this.#places.forget(file);
      if (
        place.kind === "placed" &&
        (what === "unfinished" || isOthersToo(place) || this.#places.wasKept(file) || isUsed(place.ino))
      )
        continue;
      const path = place.kind === "placed" ? this.path(file) : this.#unfinishedPath(file);
      await this.#options.handles.close(path);
      if ((await this.#look(path))?.ino !== place.ino) continue;
      await this.#fs.unlink(path);
      deleted += 1;
    }
    return deleted;
  }

  /** The inode of a file that this torrent made, and that has its name. */
  madeInode(file: number): bigint | undefined {
    const place = this.#places.placed(file);
    return place?.origin === "own" || place?.origin === "shared" ? place.ino : undefined;
  }

  /** Inodes of placed files. */
  inodes(): Iterable<bigint> {
    return this.#places.inodes();
  }

  get #fs(): PinnedFolder {
    return this.#options.data.files;
  }

  /** Link counts and inodes exceed what a number holds exactly on some file systems. */
  #look(path: string): Promise<BigIntStats | undefined> {
    return unlessMissing(this.#fs.lstat(path));
  }

  async #isEmpty(path: string): Promise<boolean> {
    const found = await this.#look(path);
    return found?.isFile() === true && found.size === 0n;
  }

  #size(file: number): bigint {
    return BigInt(this.#options.layout.files[file]?.size ?? 0);
  }

  /** A hidden name of our own in the same folder, so that naming is a rename and never a copy. */
  #unfinishedPath(file: number): string {
    return join(dirname(this.path(file)), `.${this.#options.torrentId}.${file}.qbsync`);
  }

  #unfinished(file: number): Promise<string> {
    if (this.#places.get(file)?.kind === "unfinished") return Promise.resolve(this.#unfinishedPath(file));
    const started = this.#creating.get(file);
    if (started !== undefined) return started;
    const make = this.isPlaced(file) ? this.#takeBack(file) : this.#create(file);
    const creating = make.finally(() => this.#creating.delete(file));
    this.#creating.set(file, creating);
    return creating;
  }

  async #create(file: number): Promise<string> {
    const path = this.#unfinishedPath(file);
    await this.#makeFolder(dirname(path));
    // Left by a life whose log did not reach the disk: the name says that it is ours.
    await unlessMissing(this.#fs.unlink(path));
    const handle = await this.#fs.open(path, unfinishedFlags | constants.O_CREAT | constants.O_EXCL, 0o666);
    try {
      await handle.truncate(Number(this.#size(file)));
      await this.#created(file, (await handle.stat({ bigint: true })).ino);
    } finally {
      await handle.close();
    }
    return path;
  }

  async #created(file: number, ino: bigint): Promise<void> {
    this.#dirtyFiles.add(file);
    this.#dirtyFolders.add(dirname(this.path(file)));
    await this.#places.noteCreated(file, ino);
  }

  async #makeFolder(folder: string): Promise<void> {
    for (const changed of await this.#options.data.make(folder)) this.#dirtyFolders.add(changed);
  }

  async #syncFile(file: number): Promise<void> {
    // One that was placed meanwhile was synced before.
    if (this.isPlaced(file)) return;
    const path = this.#unfinishedPath(file);
    await this.#options.handles.with(
      path,
      () => this.#fs.open(path, unfinishedFlags),
      (handle) => handle.datasync(),
    );
  }

  /** By link and unlink, which never replaces anything; rename would. */
  async #giveName(file: number, from: string): Promise<void> {
    const to = this.path(file);
    this.#dirtyFolders.add(dirname(to));
    const replaceable = this.#replaceable.get(file);
    if (replaceable !== undefined && (await this.#look(to))?.ino === replaceable.ino) {
      this.#replaceable.delete(file);
      return this.#fs.rename(from, to);
    }
    try {
      await this.#fs.link(from, to);
      await this.#fs.unlink(from);
    } catch (error) {
      const exists = await this.#look(to);
      if (exists) throw taken(to, error);
      // A file system without hard links.
      await this.#fs.rename(from, to);
    }
  }

  /** Whether the file that has the name is, byte for byte, what came of this one; then the disk has it. */
  async #agrees(path: string, file: number, parts: readonly ByteRange[]): Promise<boolean> {
    const found = await this.#look(this.path(file));
    if (found?.isFile() !== true || found.size !== this.#size(file)) return false;
    await using mine = await this.#fs.open(path, readFlags);
    await using theirs = await this.#fs.open(this.path(file), readFlags);
    if (!(await haveSameBytes(mine, theirs, parts))) return false;
    await theirs.datasync();
    return true;
  }

  /** Puts the file that is at `path` where another torrent has a fragment, if it can serve both. */
  async #replaceFragment(path: string, file: number, parts: readonly ByteRange[]): Promise<boolean> {
    const fragments = this.#options.fragmentsAt(this.path(file));
    const found = await this.#look(this.path(file));
    if (found?.size !== this.#size(file) || !fragments.some(({ ino }) => ino === found.ino)) return false;
    await using mine = await this.#fs.open(path, unfinishedFlags);
    await using theirs = await this.#fs.open(this.path(file), readFlags);
    const held = { file: theirs, parts: fragments.flatMap((fragment) => fragment.parts) };
    if (!(await takeIn({ file: mine, parts }, held, Number(found.size)))) return false;
    await mine.datasync();
    this.#replaceable.set(file, { ino: found.ino });
    await this.#giveName(file, path);
    return true;
  }

  async #holds({ file, offset, length }: Slice, bytes: Uint8Array): Promise<boolean> {
    const there = Buffer.allocUnsafe(length);
    const read = await this.read({ file, offset, length }, there);
    return read === length && Buffer.compare(there, bytes) === 0;
  }

  /** Makes a placed file writable again: ours by taking its name away, one with more names by a copy. */
  async #takeBack(file: number): Promise<string> {
    const place = this.#places.placed(file);
    const found = await this.#look(this.path(file));
    if (place === undefined || found?.ino !== place.ino) {
      this.#places.forget(file);
      this.#begunAnew.add(file);
      return this.#create(file);
    }
    if (place.origin === "foreign")
      throw conflict(`${this.path(file)} was there before, and is not what the torrent says any more`, {
        inTheWay: this.path(file),
      });
    const path = this.#unfinishedPath(file);
    if (place.origin === "own" && found.nlink === 1n) {
      await this.#fs.rename(this.path(file), path);
      await this.#created(file, place.ino);
      return path;
    }
    await unlessMissing(this.#fs.unlink(path));
    await this.#fs.copyFile(this.path(file), path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const copy = await this.#look(path);
    this.#replaceable.set(file, { ino: place.ino });
    await this.#created(file, copy?.ino ?? 0n);
    return path;
  }

  async #find(file: number, place: Place): Promise<Place | undefined> {
    const unfinished = await this.#look(this.#unfinishedPath(file));
    const named = await this.#look(this.path(file));
    const isNamed = named?.isFile() === true && named.ino === place.ino && named.size === this.#size(file);
    if (place.kind === "placed") {
      // One of the same content was taken instead, and then the program ended.
      if (isNamed && unfinished) await this.#fs.unlink(this.#unfinishedPath(file));
      return isNamed ? place : undefined;
    }
    if (isNamed) {
      // It got its name, and then the program ended.
      if (unfinished?.ino === place.ino) await this.#fs.unlink(this.#unfinishedPath(file));
      const { ino, ctimeNs } = (await this.#look(this.path(file))) ?? named;
      // Whether it replaced another torrent's fragment is not known: as if it had, so that it is never deleted.
      return { kind: "placed", origin: "shared", ino, ctimeNs };
    }
    const isOurs = unfinished?.isFile() === true && unfinished.ino === place.ino && unfinished.nlink === 1n;
    return isOurs && unfinished.size === this.#size(file) ? place : undefined;
  }
}

const taken = (path: string, cause: unknown): RefusedError =>
  conflict(`${path} is there already, with other content, and was not made for this torrent`, {
    cause,
    inTheWay: path,
  });
