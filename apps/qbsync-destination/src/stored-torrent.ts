import {
  Pause_Reason,
  Phase,
  PieceAnswer_Outcome as Outcome,
  type PieceSet,
  type TorrentDescription,
  type TorrentLayout,
  TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import { messageWithCauses } from "@qbit-sidecars/service";
import { digestOf } from "./describe-torrent.ts";
import { errorCode, isFull } from "./error-code.ts";
import type { Fragment } from "./fragments.ts";
import { GroupCommit } from "./group-commit.ts";
import { PieceLedger } from "./piece-ledger.ts";
import type { LogEntry, PieceLog } from "./piece-log.ts";
import { RefusedError } from "./refused.ts";
import type { TorrentFiles } from "./torrent-files.ts";
import { bytesOf, piecesOf } from "./wanted-pieces.ts";

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
  readonly #ledger: PieceLedger;
  #description: TorrentDescription;
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
    this.#ledger = new PieceLedger(layout, description.unselectedFiles);
    this.#commit = new GroupCommit({ ...commit, commit: (items) => this.#makeDurable(items) });
  }

  get id(): string {
    return this.layout.torrentId;
  }

  get description(): TorrentDescription {
    return this.#description;
  }

  get unselected(): ReadonlySet<number> {
    return this.#ledger.unselected;
  }

  get isPartial(): boolean {
    return this.unselected.size > 0;
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
    return this.#isFinished || this.#ledger.isComplete;
  }

  isWanted(piece: number): boolean {
    return this.#ledger.isWanted(piece);
  }

  isWritten(piece: number): boolean {
    return this.#ledger.isWritten(piece);
  }

  isDurable(piece: number): boolean {
    return this.#ledger.isDurable(piece);
  }

  durable(): Uint8Array {
    return this.#ledger.durable();
  }

  /** Since a piece was last written, or since it was opened. */
  get quietMs(): number {
    return performance.now() - this.#progressedAt;
  }

  /** Where something of it is or will be: also in unselected files that have a part of a wanted piece. */
  get paths(): string[] {
    return this.#ledger.filesHere().map((file) => this.files.path(file));
  }

  /** The unselected files that were made for the sake of a piece that they share with a selected one. */
  fragments(): Fragment[] {
    return [...this.unselected].flatMap((file) => {
      const ino = this.files.madeInode(file);
      if (ino === undefined) return [];
      return { path: this.files.path(file), ino, parts: this.#ledger.partsOf(file) };
    });
  }

  /** Wanted and not there. */
  needed(): PieceSet {
    return this.#ledger.needed();
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
    const tail = this.#ledger.read(entries);
    const last = entries.findLast(({ entry: { kind } }) => kind === "finished" || kind === "reopened");
    this.#isFinished = last?.entry.kind === "finished";
    const gone = await this.files.restore(entries.map(({ entry }) => entry));
    for (const file of gone)
      for (const piece of piecesOf(this.layout, file))
        if (tail.delete(piece) || this.isDurable(piece)) this.#gone.add(piece);
    // On a full disk the log keeps them for later, before whatever comes after them.
    if (!this.#isFinished) await this.#forgetGone().catch(() => {});
    return { tail, gone };
  }

  /** Another selection, other names for it in qBittorrent, another category. @returns whether more is wanted now */
  redescribe(description: TorrentDescription): boolean {
    this.#description = description;
    this.forgive();
    return this.#ledger.select(description.unselectedFiles);
  }

  /** The operating system has a verified piece. Resolves once the log notes it; `hear` is told when it is durable. */
  async pieceWritten(piece: number, hear: Hear): Promise<void> {
    await this.log.append({ kind: "written", piece, count: 1 });
    this.#ledger.noteWritten(piece);
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
    this.#ledger.noteLost(pieces);
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
    await this.log.append({ kind: "reopened" });
    this.#isFinished = false;
  }

  /** Gives every whole file its name. Files of no bytes that are selected are made here. */
  async placeFiles(): Promise<void> {
    const ready = this.layout.files.filter(({ index, size }) => {
      if (this.files.isPlaced(index) || !this.#ledger.isWhole(index)) return false;
      return size === 0 ? !this.unselected.has(index) : this.files.isThere(index);
    });
    for (let at = 0; at < ready.length; at += placingAtOnce)
      await Promise.all(
        ready
          .slice(at, at + placingAtOnce)
          .map(({ index }) => this.files.place(index, this.#ledger.partsOf(index))),
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
    for (const { piece } of items) hasWholeFile = this.#ledger.noteDurable(piece) || hasWholeFile;
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
    const pieces = all.map(({ piece }) => piece).filter((piece) => !this.isDurable(piece));
    this.diskError(error, "making pieces durable");
    await this.lose(pieces, "they could not be made durable").catch(() => {});
    for (const { hear } of [...all, ...this.#waiting]) hear(Outcome.FAILED, messageWithCauses(error));
    this.#waiting = [];
  }

  /** Before a file is begun anew: for the next life the log would say that all of the old one is in it. */
  async #forgetGone(): Promise<void> {
    const lost = Array.from(this.#gone, (piece) => ({ kind: "lost" as const, piece, count: 1 }));
    this.#ledger.noteLost(this.#gone);
    this.#gone.clear();
    await this.log.append(...lost);
  }
}
