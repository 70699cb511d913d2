import {
  type ByteBudget,
  type Pause,
  type PieceChunk,
  PieceAnswer_Outcome as Outcome,
} from "@qbit-sidecars/qbsync-protocol";
import { messageWithCauses } from "@qbit-sidecars/service";
import { AnswerQueue, type AnswerSink } from "./answers.ts";
import { ArrivingPiece } from "./arriving-piece.ts";
import type { DiskWriters } from "./disk-writers.ts";
import { RefusedError } from "./refused.ts";
import type { Hear, StoredTorrent } from "./stored-torrent.ts";

/** Pieces of one stream that are begun and not ended. */
export const openPiecesAtMost = 64;

export type ReceiverOptions = {
  torrent: (id: string) => StoredTorrent | undefined;
  budget: ByteBudget;
  /** Writes to the disk at the same time. */
  writers: DiskWriters;
  onChunk: (bytes: number) => void;
  onOutcome: (outcome: Outcome) => void;
  /** Bytes of a piece that came though it was there. */
  onDuplicate: (bytes: number) => void;
};

/** A `Send` stream as it is used here. */
export type SendStream = AnswerSink & {
  iterator(options: { destroyOnReturn: boolean }): AsyncIterable<PieceChunk>;
  emit(event: "error", error: Error): unknown;
};

/**
 * Takes pieces from any number of streams. A piece is on one stream at a time: who begins it anew takes it over,
 * because the other one may be the dead half of a connection that was cut.
 */
export class PieceReceiver {
  readonly #options: ReceiverOptions;
  readonly #streams = new Set<Stream>();
  /** By torrent and piece. */
  readonly #arriving = new Map<string, { piece: ArrivingPiece; stream: Stream }>();

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /**
   * Resolves when the source ended the stream and all its whole pieces are answered.
   *
   * @param gone aborts when the source is not there any more
   * @throws when the stream broke
   */
  async receive(call: SendStream, gone: AbortSignal): Promise<void> {
    const stream = new Stream(call, this.#options);
    this.#streams.add(stream);
    try {
      // At its end an iterator of the usual kind closes the other direction as well, with answers still to come.
      for await (const chunk of call.iterator({ destroyOnReturn: false })) {
        await stream.answers.ready();
        const release = await this.#options.budget.take(chunk.data.length);
        this.#options.onChunk(chunk.data.length);
        this.#take(stream, chunk)
          .finally(release)
          .catch((error: Error) => call.emit("error", error));
      }
      await this.#abandonAll(stream);
      await stream.answered(gone);
    } finally {
      this.#streams.delete(stream);
      stream.answers.close();
      await this.#abandonAll(stream);
    }
  }

  /** Tells every source that a torrent waits, or with `undefined` that it goes on. */
  tellPause(torrentId: string, pause: Pause | undefined): void {
    for (const { answers } of this.#streams) answers.pause({ torrentId, pause });
  }

  /** Resolves when the memory of the chunk is free. */
  #take(stream: Stream, chunk: PieceChunk): Promise<void> {
    const key = `${chunk.torrentId} ${chunk.piece}`;
    const torrent = this.#options.torrent(chunk.torrentId);
    if (chunk.offset === 0) return this.#begin(stream, chunk, torrent);
    const arriving = this.#arriving.get(key);
    // What follows a chunk that was answered already is of no interest.
    if (arriving?.stream !== stream) return Promise.resolve();
    return this.#next(arriving.piece, stream, chunk);
  }

  async #begin(stream: Stream, chunk: PieceChunk, torrent: StoredTorrent | undefined): Promise<void> {
    const key = `${chunk.torrentId} ${chunk.piece}`;
    const hear = stream.hear(chunk.torrentId, chunk.piece);
    const refusal = refusalOf(torrent, chunk, stream.openPieces);
    if (torrent === undefined || refusal !== undefined)
      return hear(refusal?.outcome ?? Outcome.NOT_OPEN, refusal?.detail);
    if (torrent.isWritten(chunk.piece)) {
      this.#options.onDuplicate(torrent.layout.pieceSize(chunk.piece));
      if (!torrent.isDurable(chunk.piece)) hear(Outcome.WRITTEN);
      return torrent.hearOfDurable(chunk.piece, hear);
    }
    const other = this.#arriving.get(key);
    const piece = new ArrivingPiece(torrent, chunk.piece, this.#options.writers);
    this.#arriving.set(key, { piece, stream });
    stream.openPieces += 1;
    if (other === undefined) return this.#next(piece, stream, chunk);
    // Chunks that follow must wait as well; they come in order.
    if (!other.piece.isWhole) other.stream.openPieces -= 1;
    other.stream.hear(chunk.torrentId, chunk.piece)(Outcome.SUPERSEDED);
    stream.hold(key, other.piece.abandon());
    return this.#next(piece, stream, chunk);
  }

  async #next(piece: ArrivingPiece, stream: Stream, { torrentId, offset, data }: PieceChunk): Promise<void> {
    const key = `${torrentId} ${piece.piece}`;
    await stream.held(key);
    const hear = stream.hear(torrentId, piece.piece);
    const taken = piece.take(offset, data);
    if (taken.kind === "misfit") {
      this.#end(key, piece);
      await piece.abandon();
      return hear(Outcome.REFUSED, taken.detail);
    }
    if (taken.kind === "last") {
      stream.openPieces -= 1;
      void this.#complete(key, piece, hear);
    }
    await taken.written;
  }

  async #complete(key: string, piece: ArrivingPiece, hear: Hear): Promise<void> {
    const { torrent } = piece;
    if (piece.isVerified) hear(Outcome.RECEIVED);
    try {
      await piece.written();
      if (piece.isAbandoned) return;
      if (!piece.isVerified) return hear(Outcome.HASH_MISMATCH, "the bytes are not those of the piece");
      if (torrent.isClosed) return hear(Outcome.NOT_OPEN);
      await torrent.pieceWritten(piece.piece, hear);
    } catch (error) {
      torrent.diskError(error, "writing a piece");
      const isRefused = error instanceof RefusedError;
      const outcome = torrent.paused && !isRefused ? Outcome.PAUSED : Outcome.FAILED;
      hear(outcome, messageWithCauses(error));
    } finally {
      this.#end(key, piece);
    }
  }

  #end(key: string, piece: ArrivingPiece): void {
    const arriving = this.#arriving.get(key);
    if (arriving?.piece !== piece) return;
    this.#arriving.delete(key);
    if (!piece.isWhole) arriving.stream.openPieces -= 1;
  }

  async #abandonAll(stream: Stream): Promise<void> {
    for (const [key, arriving] of this.#arriving)
      if (arriving.stream === stream && !arriving.piece.isWhole) {
        this.#end(key, arriving.piece);
        stream.forget(key);
        await arriving.piece.abandon();
      }
  }
}

function refusalOf(
  torrent: StoredTorrent | undefined,
  { piece }: PieceChunk,
  openPieces: number,
): { outcome: Outcome; detail?: string } | undefined {
  if (torrent === undefined || torrent.isClosed) return { outcome: Outcome.NOT_OPEN };
  if (piece >= torrent.layout.pieceCount)
    return { outcome: Outcome.REFUSED, detail: `piece ${piece} of ${torrent.layout.pieceCount}` };
  if (torrent.isWritten(piece)) return undefined;
  if (!torrent.isWanted(piece)) return { outcome: Outcome.NOT_WANTED };
  if (torrent.failure !== undefined) return { outcome: Outcome.FAILED, detail: torrent.failure };
  if (torrent.paused) return { outcome: Outcome.PAUSED, detail: torrent.paused.detail };
  if (openPieces >= openPiecesAtMost)
    return { outcome: Outcome.REFUSED, detail: `${openPieces} pieces are begun on this stream` };
  return undefined;
}

/** One stream: what it is told, and what of it is under way. */
class Stream {
  readonly answers: AnswerQueue;
  openPieces = 0;
  readonly #options: ReceiverOptions;
  readonly #held = new Map<string, Promise<void>>();
  readonly #unanswered = new Set<string>();
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(call: SendStream, options: ReceiverOptions) {
    this.answers = new AnswerQueue(call);
    this.#options = options;
  }

  hear(torrentId: string, piece: number): Hear {
    const key = `${torrentId} ${piece}`;
    this.#unanswered.add(key);
    return (outcome, detail) => {
      this.answers.add(torrentId, piece, { outcome, detail });
      this.#options.onOutcome(outcome);
      if (outcome === Outcome.RECEIVED || outcome === Outcome.WRITTEN) return;
      this.#unanswered.delete(key);
      if (this.#unanswered.size === 0) this.#idle?.resolve();
    };
  }

  /** Chunks of a piece wait until what another stream writes of it has ended. */
  hold(key: string, until: Promise<void>): void {
    const held = until.finally(() => {
      if (this.#held.get(key) === held) this.#held.delete(key);
    });
    this.#held.set(key, held);
  }

  async held(key: string): Promise<void> {
    await this.#held.get(key);
  }

  /** A piece that will never be whole. */
  forget(key: string): void {
    this.#unanswered.delete(key);
  }

  /** Resolves when every piece has its last answer. */
  async answered(gone: AbortSignal): Promise<void> {
    if (this.#unanswered.size === 0 || gone.aborted) return;
    this.#idle = Promise.withResolvers();
    gone.addEventListener("abort", () => this.#idle?.resolve(), { once: true });
    await this.#idle.promise;
  }
}
