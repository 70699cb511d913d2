import { lstat } from "node:fs/promises";
import { dirname } from "node:path";
import {
  Pause_Reason,
  Phase,
  Refusal_Reason,
  type TorrentDescription,
  TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import type { Logger } from "@qbit-sidecars/service";
import type { DataFolder } from "./data-folder.ts";
import { digestOf, layoutOf, pathsOf } from "./describe-torrent.ts";
import { unlessMissing } from "./error-code.ts";
import type { Fragment } from "./fragments.ts";
import type { HandlePool } from "./handle-pool.ts";
import { OneAfterAnother } from "./one-after-another.ts";
import { PathClaims } from "./path-claims.ts";
import { RefusedError } from "./refused.ts";
import { restoreTorrent } from "./restore-torrent.ts";
import { ReusableFiles, reuseData } from "./reuse-data.ts";
import type { Space } from "./space.ts";
import type { StoredTorrent, TorrentEvents } from "./stored-torrent.ts";
import { idPattern, TorrentFolders } from "./torrent-folders.ts";
import { piecesOf } from "./wanted-pieces.ts";

/** A torrent that nothing was received of for so long keeps no other waiting. */
const quietAtMostMs = 600_000;

/** Unfinished torrents at the same time. */
const unfinishedAtMost = 10_000;

/** What is kept in memory of a torrent that is finished. */
type Finished = {
  digest: Uint8Array;
  pieceCount: number;
  durable: Uint8Array;
  fragments: readonly Fragment[];
};

export type TorrentStoreOptions = {
  data: DataFolder;
  handles: HandlePool;
  space: Space;
  events: TorrentEvents;
  commit: { intervalMs: number; bytes: number };
  spaceRetryMs: number;
  /** How long a torrent may be quiet while others with the same files wait for it. */
  quietAtMostMs?: number;
  log: Logger;
  /** Bytes that had to be read and hashed, and why. */
  onHashed: (bytes: number, why: "restart" | "reuse") => void;
};

/** All torrents. Finished ones are kept on the disk and all but forgotten in memory. */
export class TorrentStore implements AsyncDisposable {
  readonly #options: TorrentStoreOptions;
  readonly #folders: TorrentFolders;
  readonly #torrents = new Map<string, StoredTorrent>();
  readonly #finished = new Map<string, Finished>();
  readonly #reusable = new ReusableFiles();
  readonly #claims: PathClaims<StoredTorrent>;
  /** By torrent. */
  readonly #tasks = new OneAfterAnother();

  constructor(options: TorrentStoreOptions) {
    this.#options = options;
    this.#folders = new TorrentFolders(options.data);
    const { quietAtMostMs: quietMs = quietAtMostMs } = options;
    this.#claims = new PathClaims((holder) => holder.failure !== undefined || isQuiet(holder, quietMs));
  }

  /** Takes over what earlier lives left. A torrent that cannot be read is left alone and told. */
  async load(): Promise<void> {
    for (const id of await this.#folders.ids()) {
      try {
        await this.#load(id);
      } catch (error) {
        this.#options.log.error(
          { err: error, torrent: id },
          "a stored torrent cannot be read; its folder is left alone",
        );
      }
    }
  }

  get(id: string): StoredTorrent | undefined {
    return this.#torrents.get(id);
  }

  /** Torrents that are not finished. */
  unfinished(): Iterable<StoredTorrent> {
    return this.#torrents.values();
  }

  get finishedCount(): number {
    return this.#finished.size;
  }

  ids(): string[] {
    return [...this.#torrents.keys(), ...this.#finished.keys()];
  }

  state(id: string): TorrentState {
    const torrent = this.#torrents.get(id);
    if (torrent) return torrent.state(this.#options.spaceRetryMs);
    const finished = this.#finished.get(id);
    if (!finished) return TorrentState.fromPartial({ torrentId: id, phase: Phase.UNKNOWN });
    const { digest: descriptionDigest, pieceCount, durable } = finished;
    const needed = new Uint8Array(durable.length);
    const phase = Phase.FINISHED;
    return TorrentState.fromPartial({ torrentId: id, phase, descriptionDigest, pieceCount, durable, needed });
  }

  isFinished(id: string): boolean {
    return this.#finished.has(id);
  }

  /**
   * Begins, resumes or changes a torrent.
   *
   * @throws RefusedError
   */
  open(description: TorrentDescription): Promise<TorrentState> {
    const { torrentId } = description;
    if (!idPattern.test(torrentId))
      return Promise.reject(new RefusedError("that is no torrent id", Refusal_Reason.INVALID));
    return this.#tasks.run(torrentId, async () => {
      await this.#open(description);
      return this.state(torrentId);
    });
  }

  /** Forgets an unfinished torrent. */
  abort(id: string, deleteFiles: boolean): Promise<{ deleted: number } | undefined> {
    return this.#tasks.run(id, async () => {
      const torrent = this.#torrents.get(id);
      if (!torrent) return undefined;
      await this.#drop(torrent);
      const used = this.#inodesBeside(torrent);
      const deleted = await torrent.files.deleteOwn(deleteFiles ? "all" : "unfinished", (ino) =>
        used.has(ino),
      );
      await this.#folders.remove(id);
      await this.#removeEmptyFolders(torrent);
      this.#startWaiting();
      return { deleted };
    });
  }

  /** Notes that a torrent is stored and wherever else it has to be. */
  finish(torrent: StoredTorrent): Promise<void> {
    return this.#tasks.run(torrent.id, async () => {
      await torrent.finish();
      await this.#leaveFilesOf(torrent);
      this.#keepFinished(torrent);
      await this.#drop(torrent);
      this.#startWaiting();
    });
  }

  /** Looks again at torrents that wait for space, for a disk that works, for another torrent, or for a free name. */
  async retryPaused(): Promise<void> {
    this.#startWaiting();
    await this.#retryFailed();
    for (const torrent of this.#torrents.values()) {
      const reason = torrent.paused?.reason;
      if (reason === undefined || reason === Pause_Reason.CHECKING || reason === Pause_Reason.SAME_FILES)
        continue;
      this.#options.data.forget();
      if (reason === Pause_Reason.SPACE) await this.#options.space.admit(torrent);
      else torrent.resume();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#torrents.values()].map((torrent) => torrent.close()));
  }

  async #open(description: TorrentDescription): Promise<void> {
    const { torrentId: id } = description;
    const known = this.#torrents.get(id);
    if (known) return this.#change(known, description);
    if (this.#finished.has(id)) return this.#reopen(description);
    if (description.torrent.length === 0)
      throw new RefusedError("the .torrent is needed", Refusal_Reason.TORRENT_NEEDED);
    if (this.#torrents.size >= unfinishedAtMost)
      throw new RefusedError(`${unfinishedAtMost} torrents are unfinished`, Refusal_Reason.TOO_MANY);
    const layout = layoutOf(description);
    pathsOf(description, layout, this.#options.data);
    await this.#folders.make(description);
    const { torrent } = await this.#restore(id);
    this.#start(torrent);
  }

  async #change(torrent: StoredTorrent, sent: TorrentDescription): Promise<void> {
    const description = { ...sent, torrent: torrent.description.torrent };
    if (
      Buffer.compare(digestOf(description), digestOf(torrent.description)) === 0 &&
      torrent.failure === undefined
    )
      return;
    await this.#takeDescription(torrent, description);
    this.#start(torrent);
  }

  async #takeDescription(torrent: StoredTorrent, description: TorrentDescription): Promise<void> {
    layoutOf(description);
    const paths = pathsOf(description, torrent.layout, this.#options.data);
    await this.#folders.saveDescription(description);
    const left = await torrent.files.moveTo(paths);
    torrent.redescribe(description);
    const lost = [...new Set(left.flatMap((file) => [...piecesOf(torrent.layout, file)]))];
    await torrent.lose(lost, "their files stay where somebody else put them");
  }

  /** A finished torrent is its qBittorrent's; it comes back when more of it is wanted, or it again after it was deleted. */
  async #reopen(sent: TorrentDescription): Promise<void> {
    const { torrentId: id } = sent;
    const { torrent, gone } = await this.#restore(id);
    try {
      if (sent.againIfGone && gone.length > 0) await this.#beginAgain(torrent, sent);
      else await this.#reopenRestored(torrent, sent);
    } catch (error) {
      // Whoever asks again finds it as it was. Node ends a process that leaves a file to the garbage collector.
      await torrent.close();
      throw error;
    }
  }

  async #reopenRestored(torrent: StoredTorrent, sent: TorrentDescription): Promise<void> {
    const { id } = torrent;
    const old = torrent.description;
    const { savePath, renamedFiles, torrent: bytes } = old;
    const description = { ...sent, savePath, renamedFiles, torrent: bytes };
    layoutOf(description);
    const wantsMore = torrent.redescribe(description) || !torrent.isFinished;
    await this.#folders.saveDescription(description);
    if (!wantsMore) {
      this.#keepFinished(torrent);
      return torrent.close();
    }
    await torrent.reopen();
    this.#finished.delete(id);
    this.#start(torrent);
  }

  async #beginAgain(torrent: StoredTorrent, sent: TorrentDescription): Promise<void> {
    await this.#takeDescription(torrent, { ...sent, torrent: torrent.description.torrent });
    await torrent.reopen();
    this.#finished.delete(torrent.id);
    const { name } = torrent.layout;
    this.#options.log.info({ torrent: torrent.id, name }, `was deleted here and is wanted again: ${name}`);
    this.#start(torrent);
  }

  async #load(id: string): Promise<void> {
    const { torrent, gone } = await this.#restore(id);
    if (torrent.isFinished) {
      this.#keepFinished(torrent);
      return torrent.close();
    }
    if (gone.length > 0)
      this.#options.log.warn(
        { torrent: id, files: gone.length },
        `${gone.length} files of ${torrent.layout.name} that were received are gone`,
      );
    this.#start(torrent);
  }

  #restore(id: string): ReturnType<typeof restoreTorrent> {
    return restoreTorrent(id, {
      ...this.#options,
      folders: this.#folders,
      fragmentsAt: (path) => this.#fragmentsAt(path, id),
      onHashed: (bytes) => this.#options.onHashed(bytes, "restart"),
    });
  }

  /** What other torrents than `id` have under a path as fragments. Asked only where a name is taken. */
  #fragmentsAt(path: string, id: string): Fragment[] {
    const unfinished = [...this.#torrents.values()].filter((torrent) => torrent.id !== id);
    return [
      ...Array.from(this.#finished.values(), ({ fragments }) => fragments),
      ...unfinished.map((torrent) => torrent.fragments()),
    ]
      .flat()
      .filter((fragment) => fragment.path === path);
  }

  /** Looks for data, and for space, and lets pieces in; unless another torrent is at work on the same files. */
  #start(torrent: StoredTorrent): void {
    this.#torrents.set(torrent.id, torrent);
    const other = this.#claims.claim(torrent, torrent.paths);
    if (other !== undefined) return torrent.pause(Pause_Reason.SAME_FILES, waitsFor(other));
    torrent.pause(Pause_Reason.CHECKING, "looking for data that is here already");
    this.#prepare(torrent).catch((error: unknown) => {
      if (!torrent.isClosed) torrent.diskError(error, "looking for data that is here already");
    });
  }

  async #prepare(torrent: StoredTorrent): Promise<void> {
    const onPiece = (): void => {
      if (torrent.isClosed) throw new Error("the torrent was aborted");
    };
    const { reusedBytes, hashedBytes } = await reuseData(torrent, { reusable: this.#reusable, onPiece });
    torrent.reusedBytes += reusedBytes;
    if (hashedBytes > 0) this.#options.onHashed(hashedBytes, "reuse");
    await torrent.placeFiles();
    if (torrent.isClosed || torrent.paused?.reason === Pause_Reason.SAME_FILES) return;
    await this.#options.space.admit(torrent);
    if (torrent.isComplete) this.#options.events.complete(torrent);
  }

  /** What was in the way is gone: the torrents that failed because of it go on. */
  async #retryFailed(): Promise<void> {
    for (const torrent of this.#torrents.values()) {
      const { id, inTheWay, layout } = torrent;
      if (inTheWay === undefined || !(await isGone(inTheWay))) continue;
      await this.#tasks.run(id, async () => {
        if (torrent.isClosed || torrent.inTheWay !== inTheWay) return;
        this.#options.log.info({ torrent: id }, `${layout.name} goes on: ${inTheWay} is gone`);
        this.#options.data.forget();
        torrent.forgive();
        this.#start(torrent);
      });
    }
  }

  /** In the order in which they came. */
  #startWaiting(): void {
    for (const torrent of this.#torrents.values())
      if (torrent.paused?.reason === Pause_Reason.SAME_FILES) this.#start(torrent);
  }

  /** Files that a finished torrent stands on are not deleted when another one is aborted. */
  async #leaveFilesOf(finished: StoredTorrent): Promise<void> {
    const inodes = new Set(finished.files.inodes());
    for (const other of this.#torrents.values()) if (other !== finished) await other.files.leave(inodes);
  }

  #keepFinished(torrent: StoredTorrent): void {
    this.#finished.set(torrent.id, {
      digest: digestOf(torrent.description),
      pieceCount: torrent.layout.pieceCount,
      durable: torrent.durable(),
      fragments: torrent.fragments(),
    });
    this.#reusable.add(torrent);
  }

  async #drop(torrent: StoredTorrent): Promise<void> {
    this.#torrents.delete(torrent.id);
    this.#claims.release(torrent);
    this.#options.space.release(torrent);
    await torrent.close();
  }

  #inodesBeside(torrent: StoredTorrent): Set<bigint> {
    const inodes = new Set<bigint>();
    for (const other of this.#torrents.values())
      if (other !== torrent) for (const ino of other.files.inodes()) inodes.add(ino);
    return inodes;
  }

  async #removeEmptyFolders({ layout, files }: StoredTorrent): Promise<void> {
    if (layout.isSingleFile) return;
    const folders = new Set(layout.files.map(({ index }) => dirname(files.path(index))));
    const deepestFirst = [...folders].toSorted((a, b) => b.length - a.length);
    // Not empty, not there, or not a folder: it stays.
    for (const folder of deepestFirst) await this.#options.data.files.rmdir(folder).catch(() => {});
    this.#options.data.forget();
  }
}

/** A path that cannot be looked at may still be in the way. */
async function isGone(path: string): Promise<boolean> {
  try {
    return (await unlessMissing(lstat(path))) === undefined;
  } catch {
    return false;
  }
}

/** Nobody knows whether any more of it will come. What is looked at or finalized is at work. */
function isQuiet(torrent: StoredTorrent, mostMs: number): boolean {
  const isAtWork = torrent.paused?.reason === Pause_Reason.CHECKING || torrent.phase === Phase.FINALIZING;
  return !isAtWork && torrent.quietMs >= mostMs;
}

const waitsFor = ({ id, layout }: StoredTorrent): string =>
  `it has a file in common with ${layout.name} (${id}), which is being received; when that is finished, its data is used`;
