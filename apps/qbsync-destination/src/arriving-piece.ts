import type { PieceVerifier } from "@qbit-sidecars/qbsync-protocol";
import type { DiskWriters } from "./disk-writers.ts";
import type { StoredTorrent } from "./stored-torrent.ts";

/** What became of a chunk: more is to come, the piece is whole, or it does not fit. */
export type Taken =
  | { kind: "more"; written: Promise<void> }
  | { kind: "last"; written: Promise<void> }
  | { kind: "misfit"; detail: string };

type Part = { file: number; offset: number; length: number };

/**
 * A piece on its way in. Hashed as it passes by; each chunk is written as it comes, so that a piece of 256 MiB needs
 * no more memory than one of 1 MiB. What is written before the hash is known lies where nothing is promised yet.
 */
export class ArrivingPiece {
  readonly torrent: StoredTorrent;
  readonly piece: number;
  readonly #writers: DiskWriters;
  readonly #verifier: PieceVerifier;
  readonly #size: number;
  #next = 0;
  #isAbandoned = false;
  #error: unknown;
  #isVerified: boolean | undefined;
  readonly #writes = new Set<Promise<void>>();

  constructor(torrent: StoredTorrent, piece: number, writers: DiskWriters) {
    this.torrent = torrent;
    this.piece = piece;
    this.#writers = writers;
    this.#verifier = torrent.layout.verifier(piece);
    this.#size = torrent.layout.pieceSize(piece);
  }

  /** Takes the next chunk; `written` resolves, whatever happened, when its memory is free again. */
  take(offset: number, data: Uint8Array): Taken {
    if (offset !== this.#next || data.length === 0 || offset + data.length > this.#size)
      return {
        kind: "misfit",
        detail: `bytes ${offset} to ${offset + data.length} of piece ${this.piece}, which has ${this.#size} and ${this.#next} of them came`,
      };
    this.#next += data.length;
    this.#verifier.update(data);
    const isLast = this.#next === this.#size;
    if (isLast) this.#isVerified = this.#verifier.matches();
    // A piece that came in one chunk and is wrong leaves no trace.
    const isWorthWriting = !isLast || this.#isVerified === true;
    const written = isWorthWriting ? this.#write(offset, data) : Promise.resolve();
    return { kind: isLast ? "last" : "more", written };
  }

  /** Whether the hash was right; known once the last chunk was taken. */
  get isVerified(): boolean {
    return this.#isVerified === true;
  }

  /** The last chunk was taken. */
  get isWhole(): boolean {
    return this.#isVerified !== undefined;
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** Nothing more is written for it. Resolves when nothing is being written. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    await Promise.all(this.#writes);
  }

  /** Resolves when all chunks are written. @throws what the disk said */
  async written(): Promise<void> {
    await Promise.all(this.#writes);
    if (this.#error !== undefined) throw this.#error;
  }

  #write(offset: number, data: Uint8Array): Promise<void> {
    const { files } = this.torrent;
    const parts = this.#partsOf(offset, data);
    const write = (async () => {
      for (const { part, bytes } of parts) {
        if (this.#isAbandoned || this.#error !== undefined) return;
        await this.#writers.run(files.path(part.file), () => files.write(part, bytes));
      }
    })()
      .catch((error: unknown) => {
        this.#error ??= error;
      })
      .finally(() => this.#writes.delete(write));
    this.#writes.add(write);
    return write;
  }

  /** Which parts of files a chunk consists of. */
  #partsOf(offset: number, data: Uint8Array): { part: Part; bytes: Uint8Array }[] {
    const parts: { part: Part; bytes: Uint8Array }[] = [];
    let at = 0;
    for (const slice of this.torrent.layout.slices(this.piece)) {
      const from = Math.max(at, offset);
      const to = Math.min(at + slice.length, offset + data.length);
      if (from < to)
        parts.push({
          part: { file: slice.file, offset: slice.offset + from - at, length: to - from },
          bytes: data.subarray(from - offset, to - offset),
        });
      at += slice.length;
    }
    return parts;
  }
}
