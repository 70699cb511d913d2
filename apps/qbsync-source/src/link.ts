import type { Answers, TorrentState } from "@qbit-sidecars/qbsync-protocol";
import type { Connection, DestinationError, PieceStream, Terms } from "./destination.ts";

/** A stream, what is on its way on it, and the connection that it has for itself. */
export type Lane = {
  readonly stream: PieceStream;
  /** Pieces begun and not answered for. */
  pieces: number;
  bytes: number;
  /** Pieces of those that the network has not taken yet. */
  queued: number;
};

/** One piece that the network takes, and one to follow it. More would wait here while another lane has room. */
const queuedAtMost = 2;

type LinkOptions = {
  dial: () => Promise<Connection>;
  minConnections: number;
  onAnswers: (answers: Answers) => void;
  /** Pieces on the lane will not be answered. */
  onLaneLost: (lane: Lane, error: DestinationError) => void;
  /** Nothing reaches the destination any more. */
  onDown: (error: DestinationError) => void;
};

/** Everything that is open to the destination: one connection for questions, and some with a stream of pieces each. */
export class Link implements Disposable {
  readonly #options: LinkOptions;
  #control: Connection | undefined;
  readonly #lanes = new Map<Lane, Connection>();
  #wanted: number;
  #isWidening = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#wanted = options.minConnections;
  }

  /** For questions; undefined while the destination is away. */
  get connection(): Connection | undefined {
    return this.#control;
  }

  get terms(): Terms | undefined {
    return this.#control?.terms;
  }

  get laneCount(): number {
    return this.#lanes.size;
  }

  /** Reaches the destination and hears what it has. @throws DestinationError */
  async connect(): Promise<TorrentState[]> {
    const connection = await this.#options.dial();
    try {
      const states = await Array.fromAsync(connection.query());
      this.#control = connection;
      this.#addLane(connection);
      return states;
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
  }

  /** How many connections there are to be. While some are being opened no others are. */
  resize(count: number): void {
    this.#wanted = Math.min(count, this.terms?.maxStreams ?? count);
    const spare = [...this.#lanes.keys()].toReversed().slice(0, Math.max(0, this.#lanes.size - this.#wanted));
    for (const lane of spare)
      if (lane.pieces === 0 && this.#lanes.get(lane) !== this.#control) lane.stream.close();
    if (this.#control !== undefined && this.#lanes.size < this.#wanted) void this.#widen();
  }

  /**
   * The lane that takes another piece: the one with least to hand over, then with least on its way. One that is slow,
   * because TCP has just begun on it or has lost something, holds up its own pieces and nobody else's.
   */
  freeLane(): Lane | undefined {
    const most = this.terms?.maxOpenPieces ?? 0;
    let best: Lane | undefined;
    for (const lane of this.#lanes.keys())
      if (
        lane.stream.isOpen &&
        lane.pieces < most &&
        lane.queued < queuedAtMost &&
        (best === undefined || isFreer(lane, best))
      )
        best = lane;
    return best;
  }

  [Symbol.dispose](): void {
    const control = this.#control;
    this.#control = undefined;
    for (const lane of this.#lanes.keys()) lane.stream.close();
    control?.[Symbol.dispose]();
  }

  async #widen(): Promise<void> {
    if (this.#isWidening) return;
    this.#isWidening = true;
    const missing = this.#wanted - this.#lanes.size;
    // All at once: each takes a few round trips to be there.
    await Promise.allSettled(Array.from({ length: missing }, () => this.#addConnection()));
    this.#isWidening = false;
  }

  /** One that cannot be opened is no news: the next resize tries again. */
  async #addConnection(): Promise<void> {
    const connection = await this.#options.dial();
    // The destination may have gone, or have been restarted, while this was opened.
    if (this.terms?.instanceId === connection.terms.instanceId) this.#addLane(connection);
    else connection[Symbol.dispose]();
  }

  #addLane(connection: Connection): void {
    const lane: Lane = {
      stream: connection.send({
        answers: this.#options.onAnswers,
        end: (error) => this.#laneLost(lane, connection, error),
      }),
      pieces: 0,
      bytes: 0,
      queued: 0,
    };
    this.#lanes.set(lane, connection);
  }

  #laneLost(lane: Lane, connection: Connection, error: DestinationError): void {
    this.#lanes.delete(lane);
    this.#options.onLaneLost(lane, error);
    const isControl = connection === this.#control;
    if (!isControl) connection[Symbol.dispose]();
    if (!isControl && this.#lanes.size > 0) return;
    if (this.#control === undefined) return;
    this[Symbol.dispose]();
    this.#options.onDown(error);
  }
}

function isFreer(one: Lane, other: Lane): boolean {
  return one.queued === other.queued ? one.bytes < other.bytes : one.queued < other.queued;
}
