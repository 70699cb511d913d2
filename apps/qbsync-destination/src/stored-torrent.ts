import {
  Pause_Reason,
  Phase,
  PieceAnswer_Outcome as Outcome,
  PieceSet,
  type TorrentDescription,
  type TorrentLayout,
  TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import { messageWithCauses } from "@qbit-sidecars/service";
import { digestOf } from "./describe-torrent.ts";
import { errorCode, isFull } from "./error-code.ts";
import type { Fragment } from "./fragments.ts";
import { GroupCommit } from "./group-commit.ts";
import type { LogEntry, PieceLog } from "./piece-log.ts";
import { RefusedError } from "./refused.ts";
import type { TorrentFiles } from "./torrent-files.ts";
import { bytesOf, countByFile, filesOf, wantedParts, wantedPieces } from "./wanted-pieces.ts";

/** Whoever sent a piece hears what becomes of it. */
export type Hear = (outcome: Outcome, detail?: string) => void;

export type Paused = { reason: Pause_Reason; detail: string };

/** What happens to torrents, for logs, metrics and streams. */
export type TorrentEvents = {
  durable(pieces: number, bytes: number, tookMs: number): void;
  paused(torrent: StoredTorrent): void;
  resumed(torrent: StoredTorrent): void;
  lost(torrent: StoredTorrent, pieces: number, why: string): void;
  failed(torrent: StoredTorrent, why: string): void;
  /** All wanted pieces are durable. */
  complete(torrent: StoredTorrent): void;
};

export type StoredTorrentParts = {
  description: TorrentDescription;
  layout: TorrentLayout;
  files: TorrentFiles;
  log: PieceLog;
  events: TorrentEvents;
  commit: { intervalMs: number; bytes: number };
};

type Written = { piece: number; hear: Hear };

/** Files that get their names at the same time. */
const placingAtOnce = 8;

/** One torrent: which of its pieces are here, how safely, and what keeps the others away. */
export class StoredTorrent {
  readonly layout: TorrentLayout;
  readonly files: TorrentFiles;
  readonly log: PieceLog;
  readonly #events: TorrentEvents;
  readonly #commit: GroupCommit<Written>;
  readonly #written: PieceSet;
  readonly #durable: PieceSet;
  /** Sums what is not durable yet, for each file. */
  #missing: Int32Array;
  #wanted: PieceSet;
  #description: TorrentDescription;
  #unselected: ReadonlySet<number>;
  #paused: Paused | undefined;
  #failure: string | undefined;
  /** Of a failure: the path of what somebody else has put where this torrent's files belong. */
  #inTheWay: string | undefined;
  #isFinished = false;
  #isFinalizing = false;
  #isClosed = false;
  #waiting: Written[] = [];
  /** Pieces that the log has and the disk has not any more. */
  readonly #gone = new Set<number>();
  #progressedAt = performance.now();
  reusedBytes = 0;
  detail = "";
  qbittorrentState = "";

  constructor({ description, layout, files, log, events, commit }: StoredTorrentParts) {
    this.layout = layout;
    this.files = files;
    this.log = log;
    this.#events = events;
    this.#description = description;
    this.#unselected = new Set(description.unselectedFiles);
    this.#wanted = wantedPieces(layout, this.#unselected);
    this.#written = new PieceSet(layout.pieceCount);
    this.#durable = new PieceSet(layout.pieceCount);
    this.#missing = countByFile(layout, this.#wanted);
    this.#commit = new GroupCommit({ ...commit, commit: (items) => this.#makeDurable(items) });
  }

  get id(): string {
    return this.layout.torrentId;
  }

  get description(): TorrentDescription {
    return this.#description;
  }

  get unselected(): ReadonlySet<number> {
    return this.#unselected;
  }

  get isPartial(): boolean {
    return this.#unselected.size > 0;
  }

  get paused(): Paused | undefined {
    return this.#paused;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /** What has to go before a torrent that has failed can go on, where that is all. */
  get inTheWay(): string | undefined {
    return this.#inTheWay;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Every wanted piece is durable. */
  get isComplete(): boolean {
    return this.#isFinished || this.#missing.every((count) => count === 0);
  }

  isWanted(piece: number): boolean {
    return this.#wanted.has(piece);
  }

  isWritten(piece: number): boolean {
    return this.#written.has(piece);
  }

  isDurable(piece: number): boolean {
    return this.#durable.has(piece);
  }

  durable(): Uint8Array {
    return this.#durable.toBytes();
  }

  /** Since a piece was last written, or since it was opened. */
  get quietMs(): number {
    return performance.now() - this.#progressedAt;
  }

  /** Where something of it is or will be: also in unselected files that have a part of a wanted piece. */
  get paths(): string[] {
    const parts = countByFile(this.layout, this.#wanted);
    return this.layout.files
      .filter(({ index, size }) => (size === 0 ? !this.#unselected.has(index) : parts[index] !== 0))
      .map(({ index }) => this.files.path(index));
  }

  /** The unselected files that were made for the sake of a piece that they share with a selected one. */
  fragments(): Fragment[] {
    return [...this.#unselected].flatMap((file) => {
      const ino = this.files.madeInode(file);
      if (ino === undefined) return [];
      return { path: this.files.path(file), ino, parts: wantedParts(this.layout, file, this.#wanted) };
    });
  }

  /** Wanted and not there. */
  needed(): PieceSet {
    const needed = new PieceSet(this.layout.pieceCount);
    for (const piece of this.#wanted) if (!this.#written.has(piece)) needed.add(piece);
    return needed;
  }

  neededBytes(): number {
    return bytesOf(this.layout, this.needed());
  }

  get phase(): Phase {
    if (this.#isFinished) return Phase.FINISHED;
    if (this.#failure !== undefined) return Phase.FAILED;
    if (this.#paused !== undefined) return Phase.PAUSED;
    if (this.#isFinalizing) return Phase.FINALIZING;
    return this.isComplete ? Phase.COMPLETE : Phase.RECEIVING;
  }

  state(retryAfterMs: number): TorrentState {
    const needed = this.needed();
    const paused = this.#paused;
    return TorrentState.fromPartial({
      torrentId: this.id,
      phase: this.phase,
      pieceCount: this.layout.pieceCount,
      durable: this.durable(),
      needed: needed.toBytes(),
      neededCount: needed.size,
      descriptionDigest: digestOf(this.#description),
      ...(paused && { pause: { ...paused, retryAfterMs } }),
      detail: this.#failure ?? paused?.detail ?? this.detail,
      qbittorrentState: this.qbittorrentState,
      reusedBytes: this.reusedBytes,
    });
  }

  /**
   * Takes over what the log says: what is certain, what must be hashed (the tail), and what is gone. Finished is
   * finished, whatever became of the files since: they are qBittorrent's, which may have moved them, and a person's. So
   * what is durable of it is what was when it was finished.
   */
  async restore(
    entries: readonly { entry: LogEntry; end: number }[],
  ): Promise<{ tail: PieceSet; gone: number[] }> {
    const durableUpTo = entries.findLast(({ entry }) => entry.kind === "durable")?.entry;
    const upTo = durableUpTo?.kind === "durable" ? durableUpTo.upTo : 0;
    const tail = new PieceSet(this.layout.pieceCount);
    for (const { entry, end } of entries) {
      if (entry.kind === "finished" || entry.kind === "reopened")
        this.#isFinished = entry.kind === "finished";
      if (entry.kind !== "written" && entry.kind !== "lost") continue;
      for (
        let { piece } = entry;
        piece < entry.piece + entry.count && piece < this.layout.pieceCount;
        piece += 1
      ) {
        this.#durable.delete(piece);
        tail.delete(piece);
        if (entry.kind === "written") (end <= upTo ? this.#durable : tail).add(piece);
      }
    }
    const gone = await this.files.restore(entries.map(({ entry }) => entry));
    for (const file of gone) {
      const { firstPiece = 0, endPiece = 0 } = this.layout.files[file] ?? {};
      for (let piece = firstPiece; piece < endPiece; piece += 1)
        if (tail.delete(piece) || this.#durable.has(piece)) this.#gone.add(piece);
    }
    // On a full disk the log keeps them for later, before whatever comes after them.
    if (!this.#isFinished) await this.#forgetGone().catch(() => {});
    for (const piece of this.#durable) this.#written.add(piece);
    this.#count();
    return { tail, gone };
  }

  /** Another selection, other names for it in qBittorrent, another category. @returns whether more is wanted now */
  redescribe(description: TorrentDescription): boolean {
    this.#description = description;
    this.#unselected = new Set(description.unselectedFiles);
    const before = this.#wanted;
    this.#wanted = wantedPieces(this.layout, this.#unselected);
    this.#count();
    this.forgive();
    return [...this.#wanted].some((piece) => !before.has(piece));
  }

  /** The operating system has a verified piece. Resolves once the log notes it; `hear` is told when it is durable. */
  async pieceWritten(piece: number, hear: Hear): Promise<void> {
    await this.log.append({ kind: "written", piece, count: 1 });
    this.#written.add(piece);
    this.#progressedAt = performance.now();
    hear(Outcome.WRITTEN);
    this.#commit.add({ piece, hear }, this.layout.pieceSize(piece));
  }

  /** Tells when a piece is durable that was written before. */
  hearOfDurable(piece: number, hear: Hear): void {
    if (this.isDurable(piece)) hear(Outcome.DURABLE);
    else this.#waiting.push({ piece, hear });
  }

  /** Resolves when everything that was written is durable, or was given up. */
  flush(): Promise<void> {
    return this.#commit.flush();
  }

  /** Data that turned out to be wrong or gone: to be sent again. */
  async lose(pieces: readonly number[], why: string): Promise<void> {
    if (pieces.length === 0) return;
    for (const piece of pieces) {
      this.#written.delete(piece);
      this.#durable.delete(piece);
    }
    this.#count();
    this.#events.lost(this, pieces.length, why);
    await this.log.append(...pieces.map((piece) => ({ kind: "lost" as const, piece, count: 1 })));
  }

  pause(reason: Pause_Reason, detail: string): void {
    const isKnown = this.#paused?.reason === reason;
    this.#paused = { reason, detail };
    if (!isKnown) this.#events.paused(this);
  }

  resume(): void {
    if (this.#paused === undefined) return;
    this.#paused = undefined;
    this.#events.resumed(this);
  }

  /** Something that only a person can put right; `inTheWay` is all that is wrong, where it is given. */
  fail(why: string, inTheWay?: string): void {
    if (this.#failure === why) return;
    this.#failure = why;
    this.#inTheWay = inTheWay;
    this.#events.failed(this, why);
  }

  /** What failed is to be tried again. */
  forgive(): void {
    this.#failure = undefined;
    this.#inTheWay = undefined;
  }

  /** Sorts an error of the disk: space is waited for, what is in the way needs a person, the rest is tried again. */
  diskError(error: unknown, doing: string): void {
    const detail = `${doing}: ${messageWithCauses(error)}`;
    if (error instanceof RefusedError) this.fail(error.message, error.inTheWay);
    else if (isFull(error)) this.pause(Pause_Reason.SPACE, detail);
    else if (errorCode(error) === "EROFS") this.pause(Pause_Reason.READ_ONLY, detail);
    else this.pause(Pause_Reason.IO, detail);
  }

  setFinalizing(isFinalizing: boolean): void {
    this.#isFinalizing = isFinalizing;
  }

  async finish(): Promise<void> {
    await this.log.append({ kind: "finished" });
    await this.log.sync();
    this.#isFinished = true;
  }

  async reopen(): Promise<void> {
    if (!this.#isFinished) return;
    await this.#forgetGone();
    this.#count();
    await this.log.append({ kind: "reopened" });
    this.#isFinished = false;
  }

  /** Gives every whole file its name. Files of no bytes that are selected are made here. */
  async placeFiles(): Promise<void> {
    const ready = this.layout.files.filter(({ index, size }) => {
      if (this.files.isPlaced(index) || this.#missing[index] !== 0) return false;
      return size === 0 ? !this.#unselected.has(index) : this.files.isThere(index);
    });
    for (let at = 0; at < ready.length; at += placingAtOnce)
      await Promise.all(
        ready
          .slice(at, at + placingAtOnce)
          .map(({ index }) => this.files.place(index, wantedParts(this.layout, index, this.#wanted))),
      );
  }

  /** Ends all use of it. What was written and can still be made durable is. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.flush();
    } finally {
      await this.log[Symbol.asyncDispose]();
    }
  }

  async #makeDurable(items: readonly Written[]): Promise<void> {
    const startedAt = performance.now();
    const upTo = this.log.size;
    try {
      await this.files.sync();
      await this.log.append({ kind: "durable", upTo });
      await this.log.sync();
    } catch (error) {
      await this.#giveUp(items, error);
      return;
    }
    const bytes = bytesOf(
      this.layout,
      items.map(({ piece }) => piece),
    );
    this.#events.durable(items.length, bytes, performance.now() - startedAt);
    await this.#nowDurable(items);
  }

  async #nowDurable(items: readonly Written[]): Promise<void> {
    let hasWholeFile = false;
    for (const { piece } of items) {
      if (!this.#written.has(piece) || !this.#durable.add(piece)) continue;
      for (const file of filesOf(this.layout, piece)) {
        if (!this.#wanted.has(piece)) continue;
        this.#missing[file]! -= 1;
        hasWholeFile ||= this.#missing[file] === 0;
      }
    }
    for (const { hear } of items) hear(Outcome.DURABLE);
    this.#waiting = this.#waiting.filter(({ piece, hear }) => {
      if (this.isDurable(piece)) hear(Outcome.DURABLE);
      return !this.isDurable(piece);
    });
    if (!hasWholeFile) return;
    try {
      await this.placeFiles();
    } catch (error) {
      this.diskError(error, "giving a file its name");
    }
    if (this.isComplete) this.#events.complete(this);
  }

  /** After a failed fdatasync the pages may be gone, also those of the next batch. */
  async #giveUp(items: readonly Written[], error: unknown): Promise<void> {
    const all = [...items, ...this.#commit.takeWaiting()];
    const pieces = all.map(({ piece }) => piece).filter((piece) => !this.#durable.has(piece));
    this.diskError(error, "making pieces durable");
    await this.lose(pieces, "they could not be made durable").catch(() => {});
    for (const { hear } of [...all, ...this.#waiting]) hear(Outcome.FAILED, messageWithCauses(error));
    this.#waiting = [];
  }

  /** Before a file is begun anew: for the next life the log would say that all of the old one is in it. */
  async #forgetGone(): Promise<void> {
    const lost = Array.from(this.#gone, (piece) => ({ kind: "lost" as const, piece, count: 1 }));
    for (const piece of this.#gone) {
      this.#durable.delete(piece);
      this.#written.delete(piece);
    }
    this.#gone.clear();
    await this.log.append(...lost);
  }

  #count(): void {
    const absent = [...this.#wanted].filter((piece) => !this.#durable.has(piece));
    this.#missing = countByFile(this.layout, absent);
  }
}
