import { PieceSet, type TorrentLayout } from "@qbit-sidecars/qbsync-protocol";
import type { ByteRange } from "./file-bytes.ts";
import type { LogEntry } from "./piece-log.ts";
import { countByFile, filesOf, partsIn, wantedPieces } from "./wanted-pieces.ts";

/** Which pieces of a torrent are wanted, how safely each is here, and so which of its files are whole. No I/O. */
export class PieceLedger {
  readonly #layout: TorrentLayout;
  /** The operating system has them. */
  readonly #written: PieceSet;
  /** The disk has them. */
  readonly #durable: PieceSet;
  #unselected: ReadonlySet<number>;
  #wanted: PieceSet;
  /** For each file, how many of its wanted pieces are not durable yet. */
  #missing: Int32Array;

  constructor(layout: TorrentLayout, unselected: Iterable<number>) {
    this.#layout = layout;
    this.#written = new PieceSet(layout.pieceCount);
    this.#durable = new PieceSet(layout.pieceCount);
    this.#unselected = new Set(unselected);
    this.#wanted = wantedPieces(layout, this.#unselected);
    this.#missing = countByFile(layout, this.#wanted);
  }

  get unselected(): ReadonlySet<number> {
    return this.#unselected;
  }

  /** Every wanted piece is durable. */
  get isComplete(): boolean {
    return this.#missing.every((count) => count === 0);
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

  /** As a bitmap. */
  durable(): Uint8Array {
    return this.#durable.toBytes();
  }

  /** Wanted and not there. */
  needed(): PieceSet {
    const needed = new PieceSet(this.#layout.pieceCount);
    for (const piece of this.#wanted) if (!this.#written.has(piece)) needed.add(piece);
    return needed;
  }

  /** All of a file is durable that is wanted of it. */
  isWhole(file: number): boolean {
    return this.#missing[file] === 0;
  }

  /** Files that something of is or will be here: also unselected ones that have a part of a wanted piece. */
  filesHere(): number[] {
    const parts = countByFile(this.#layout, this.#wanted);
    return this.#layout.files
      .filter(({ index, size }) => (size === 0 ? !this.#unselected.has(index) : parts[index] !== 0))
      .map(({ index }) => index);
  }

  /** What of a file is here, also of pieces that came before it was unselected. */
  partsOf(file: number): ByteRange[] {
    return partsIn(this.#written, this.#layout, file);
  }

  /** Another selection. @returns whether more is wanted now */
  select(unselected: Iterable<number>): boolean {
    const before = this.#wanted;
    this.#unselected = new Set(unselected);
    this.#wanted = wantedPieces(this.#layout, this.#unselected);
    this.#count();
    return [...this.#wanted].some((piece) => !before.has(piece));
  }

  noteWritten(piece: number): void {
    this.#written.add(piece);
  }

  /** Of a piece that is still written. @returns whether a file is whole that was not */
  noteDurable(piece: number): boolean {
    if (!this.#written.has(piece) || !this.#durable.add(piece) || !this.#wanted.has(piece)) return false;
    let hasWholeFile = false;
    for (const file of filesOf(this.#layout, piece)) {
      this.#missing[file]! -= 1;
      hasWholeFile ||= this.#missing[file] === 0;
    }
    return hasWholeFile;
  }

  noteLost(pieces: Iterable<number>): void {
    for (const piece of pieces) {
      this.#written.delete(piece);
      this.#durable.delete(piece);
    }
    this.#count();
  }

  /** Takes over what a log says. @returns the pieces in its tail: written, and perhaps not on the disk */
  read(entries: readonly { entry: LogEntry; end: number }[]): PieceSet {
    const durableUpTo = entries.findLast(({ entry }) => entry.kind === "durable")?.entry;
    const upTo = durableUpTo?.kind === "durable" ? durableUpTo.upTo : 0;
    const tail = new PieceSet(this.#layout.pieceCount);
    for (const { entry, end } of entries) {
      if (entry.kind !== "written" && entry.kind !== "lost") continue;
      const last = Math.min(entry.piece + entry.count, this.#layout.pieceCount);
      for (let { piece } = entry; piece < last; piece += 1) {
        this.#durable.delete(piece);
        tail.delete(piece);
        if (entry.kind === "written") (end <= upTo ? this.#durable : tail).add(piece);
      }
    }
    for (const piece of this.#durable) this.#written.add(piece);
    this.#count();
    return tail;
  }

  #count(): void {
    const absent = [...this.#wanted].filter((piece) => !this.#durable.has(piece));
    this.#missing = countByFile(this.#layout, absent);
  }
}
