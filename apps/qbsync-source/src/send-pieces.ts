import {
  type Answers,
  PieceAnswer_Outcome as Outcome,
  type PieceAnswer,
} from "@qbit-sidecars/qbsync-protocol";
import type { Clock } from "@qbit-sidecars/service";
import { DestinationError } from "./destination.ts";
import type { Lane, Link } from "./link.ts";
import { SendPlanner } from "./plan-sending.ts";
import { PieceChangedError, type PieceReading, readPiece } from "./read-piece.ts";
import { settle } from "./settle-answer.ts";
import type { TokenBucket } from "./token-bucket.ts";
import type { Tags, TrackedTorrent } from "./tracked-torrent.ts";

export type SenderOptions = {
  torrents: ReadonlyMap<string, TrackedTorrent>;
  tags: Tags;
  numSenders: number;
  windowBytes: number;
  pieceTimeoutMs: number;
  limits: { all: TokenBucket; backlog: TokenBucket };
  clock: Clock;
  signal: AbortSignal;
  on: SenderEvents;
};

export type SenderEvents = {
  sent(bytes: number): void;
  /** `sinceMs`: from when the piece was taken up here. */
  answered(outcome: Outcome, sinceMs: number | undefined): void;
  unreadable(tracked: TrackedTorrent, reading: PieceReading | { kind: "error"; detail: string }): void;
  stale(pieces: number): void;
  /** Something about this torrent is to be decided anew. */
  changed(tracked: TrackedTorrent): void;
};

/** A piece between being taken up and being answered for. */
type Flight = { tracked: TrackedTorrent; piece: number; bytes: number; lane: Lane; begunAt: number };

/** A piece of at most this share of the window is held in memory from its check to its sending. */
const heldShare = 0.5;

/** How long a piece waits after it could not be read. */
const unreadableWaitMs = 2000;

/** Sends pieces: what `SendPlanner` says, as fast as senders, window and limits let it. Reacts, never polls. */
export class PieceSender {
  readonly #options: SenderOptions;
  readonly #link: Link;
  readonly #planner = new SendPlanner();
  readonly #flights = new Map<string, Flight>();
  #reading = 0;
  #inFlightBytes = 0;
  #sentBytes = 0;

  constructor(link: Link, options: SenderOptions) {
    this.#link = link;
    this.#options = options;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** Handed to the network since the start. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  get inFlightPieces(): number {
    return this.#flights.size;
  }

  /** Whether there is more to send than goes through. */
  get isSaturated(): boolean {
    const { numSenders, windowBytes } = this.#options;
    if (this.#reading >= numSenders || this.#inFlightBytes >= windowBytes * 0.9) return true;
    return this.#flights.size > 0 && this.#link.freeLane() === undefined;
  }

  /** Sends what can be sent. Call it whenever something may have changed. */
  pump(): void {
    const { torrents, tags, numSenders, clock, signal } = this.#options;
    if (signal.aborted || this.#link.terms === undefined) return;
    const now = clock.monotonic();
    const candidates = [...torrents.values()].flatMap((tracked) => {
      const { progress, described } = tracked;
      if (!tracked.isOpen || progress === undefined || described === undefined) return [];
      if (progress.readyCount === 0 || tracked.obstacle(tags, now) !== undefined) return [];
      const { id, isLive } = tracked;
      return [{ id, isLive, leftBytes: progress.neededCount * described.layout.pieceLength, tracked }];
    });
    while (this.#reading < numSenders) {
      const lane = this.#link.freeLane();
      const choice = this.#planner.next(candidates);
      if (lane === undefined || choice === undefined) return;
      const at = candidates.findIndex(({ id }) => id === choice.candidate.id);
      const tracked = candidates[at]?.tracked;
      const piece = tracked?.progress?.first();
      if (tracked?.described === undefined || piece === undefined) {
        candidates.splice(at, 1);
        continue;
      }
      const bytes = tracked.described.layout.pieceSize(piece);
      if (!this.#fits(bytes)) return;
      choice.charge(bytes);
      void this.#send({ tracked, piece, bytes, lane, begunAt: now });
    }
  }

  hear({ pieces, pauses }: Answers): void {
    for (const answer of pieces) this.#hearPiece(answer);
    const now = this.#options.clock.monotonic();
    for (const { torrentId, pause } of pauses) {
      const tracked = this.#options.torrents.get(torrentId);
      if (tracked === undefined) continue;
      tracked.hold = pause && {
        reason: `the destination waits: ${pause.detail}`,
        until: now + Math.max(pause.retryAfterMs, 1000),
      };
      // What is needed afterwards is not what was needed before: data may have been found there.
      tracked.pause();
      this.#options.on.changed(tracked);
    }
    this.pump();
  }

  laneLost(lane: Lane): void {
    const now = this.#options.clock.monotonic();
    for (const flight of [...this.#flights.values()].filter((one) => one.lane === lane)) {
      flight.tracked.progress?.comeBack(flight.piece, now);
      this.#land(flight);
    }
    this.sweep();
  }

  /** What was put off is looked at again, and what the destination does not answer for is sent again elsewhere. */
  sweep(): void {
    const { torrents, pieceTimeoutMs, clock } = this.#options;
    const now = clock.monotonic();
    const staleLanes = new Map<Lane, number>();
    for (const tracked of torrents.values()) {
      tracked.progress?.wakePutOff(now);
      for (const piece of tracked.progress?.olderThan(now - pieceTimeoutMs) ?? []) {
        const lane = this.#flights.get(keyOf(tracked.id, piece))?.lane;
        if (lane !== undefined) staleLanes.set(lane, (staleLanes.get(lane) ?? 0) + 1);
      }
    }
    for (const [lane, pieces] of staleLanes) {
      this.#options.on.stale(pieces);
      lane.stream.close();
    }
    this.pump();
  }

  #fits(bytes: number): boolean {
    return this.#inFlightBytes === 0 || this.#inFlightBytes + bytes <= this.#options.windowBytes;
  }

  async #send(flight: Flight): Promise<void> {
    const { tracked, piece, bytes, lane } = flight;
    const read = this.#beginReading();
    this.#inFlightBytes += bytes;
    lane.pieces += 1;
    lane.queued += 1;
    lane.bytes += bytes;
    this.#flights.set(keyOf(tracked.id, piece), flight);
    tracked.progress?.begin(piece);
    try {
      await this.#readAndWrite(flight, read);
    } catch (error) {
      // A stream that is over has given back its pieces already.
      if (!(error instanceof DestinationError)) this.#putOff(flight, problemOf(error));
    } finally {
      lane.queued -= 1;
      read();
      this.pump();
    }
  }

  /** @returns what makes room for another one to be read; the second time it does nothing */
  #beginReading(): () => void {
    this.#reading += 1;
    let isReading = true;
    return () => {
      if (!isReading) return;
      isReading = false;
      this.#reading -= 1;
    };
  }

  /** @param read to be called when the disk is not needed any more */
  async #readAndWrite(flight: Flight, read: () => void): Promise<void> {
    const { tracked, piece, lane } = flight;
    const chunkBytes = this.#link.terms?.chunkBytes ?? 0;
    if (tracked.data === undefined || chunkBytes === 0) throw new Error("the destination has gone");
    const holdBytes = this.#options.windowBytes * heldShare;
    const reading = await readPiece(tracked.data, piece, { chunkBytes, holdBytes });
    if (reading.kind !== "read") return this.#putOff(flight, reading);
    if (Array.isArray(reading.chunks)) {
      // It is in memory. Whoever waits for the network on this lane does not keep another one from being fed.
      read();
      this.pump();
    }
    const { limits, clock, signal, on } = this.#options;
    let offset = 0;
    for await (const data of reading.chunks) {
      tracked.progress?.waitsSince(piece, Number.POSITIVE_INFINITY);
      await limits.all.take(data.length, signal);
      if (!tracked.isLive) await limits.backlog.take(data.length, signal);
      tracked.progress?.waitsSince(piece, clock.monotonic());
      await lane.stream.write({ torrentId: tracked.id, piece, offset, data });
      tracked.progress?.waitsSince(piece, clock.monotonic());
      offset += data.length;
      this.#sentBytes += data.length;
      on.sent(data.length);
    }
    if (offset > 0) return;
    // A piece that is all padding has no bytes; it is answered for all the same.
    tracked.progress?.waitsSince(piece, clock.monotonic());
    await lane.stream.write({ torrentId: tracked.id, piece, offset, data: new Uint8Array() });
  }

  #putOff(flight: Flight, problem: Parameters<SenderEvents["unreadable"]>[1]): void {
    const { tracked, piece } = flight;
    if (this.#flights.get(keyOf(tracked.id, piece)) !== flight) return;
    tracked.progress?.comeBack(piece, this.#options.clock.monotonic() + unreadableWaitMs);
    this.#land(flight);
    this.#options.on.unreadable(tracked, problem);
  }

  /** It is not on its way any more, whatever became of it. */
  #land(flight: Flight): void {
    const key = keyOf(flight.tracked.id, flight.piece);
    if (this.#flights.get(key) !== flight) return;
    this.#flights.delete(key);
    this.#inFlightBytes -= flight.bytes;
    flight.lane.pieces -= 1;
    flight.lane.bytes -= flight.bytes;
  }

  #hearPiece({ torrentId, pieces, outcome, detail }: PieceAnswer): void {
    const tracked = this.#options.torrents.get(torrentId);
    if (tracked?.progress === undefined) return;
    for (const piece of pieces) {
      if (piece >= tracked.progress.pieceCount) continue;
      const flight = this.#flights.get(keyOf(torrentId, piece));
      const now = this.#options.clock.monotonic();
      this.#options.on.answered(outcome, flight && now - flight.begunAt);
      const stays = settle(tracked, piece, { outcome, detail, now });
      if (!stays && flight !== undefined) this.#land(flight);
    }
    if (outcome !== Outcome.RECEIVED) this.#options.on.changed(tracked);
  }
}

function problemOf(error: unknown): Parameters<SenderEvents["unreadable"]>[1] {
  const detail = error instanceof Error ? error.message : String(error);
  return error instanceof PieceChangedError ? { kind: "mismatch", detail } : { kind: "error", detail };
}

function keyOf(id: string, piece: number): string {
  return `${id}:${piece}`;
}
