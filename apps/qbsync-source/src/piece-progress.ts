import { PieceSet } from "@qbit-sidecars/qbsync-protocol/layout";

/**
 * How far each piece of one torrent is on its way: here → in flight → written there → durable there. Knows which
 * pieces may be sent now; each of them is in one place only, so none is sent twice at the same time.
 */
export class PieceProgress {
  readonly pieceCount: number;
  /** Here and finished. */
  #available: PieceSet;
  /** Wanted there, and not there yet. */
  #needed: PieceSet;
  /** May be sent now: available, needed, not in flight, not put off. */
  #ready: PieceSet;
  /** Written there, and lost if that machine loses power now. */
  readonly #undurable = new Set<number>();
  readonly #inFlight = new Map<number, { since: number }>();
  /** Put off until then, on the monotonic clock. */
  readonly #putOff = new Map<number, number>();

  constructor(pieceCount: number) {
    this.pieceCount = pieceCount;
    this.#available = new PieceSet(pieceCount);
    this.#needed = new PieceSet(pieceCount);
    this.#ready = new PieceSet(pieceCount);
  }

  get neededCount(): number {
    return this.#needed.size;
  }

  get readyCount(): number {
    return this.#ready.size;
  }

  get availableCount(): number {
    return this.#available.size;
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  /** Written there, and not on its disk yet. */
  get undurableCount(): number {
    return this.#undurable.size;
  }

  /** Everything the destination wants is on its disk. */
  get isDelivered(): boolean {
    return this.#needed.size === 0 && this.#inFlight.size === 0 && this.#undurable.size === 0;
  }

  /** The first piece that may be sent. In order, so that files are whole one after another. */
  first(): number | undefined {
    return this.#ready.firstFrom(0);
  }

  setAvailable(pieces: PieceSet): void {
    this.#available = pieces;
    this.#recount();
  }

  /** What the destination says it needs. What is in flight stays so until it is answered for. */
  setNeeded(pieces: PieceSet): void {
    this.#needed = pieces;
    this.#undurable.clear();
    this.#recount();
  }

  begin(piece: number): void {
    if (!this.#ready.delete(piece)) throw new RangeError(`piece ${piece} may not be sent now`);
    this.#inFlight.set(piece, { since: Number.POSITIVE_INFINITY });
  }

  /**
   * The wait for the destination begins now, or begins anew. `Infinity`: it is not the destination that is waited
   * for, but the disk or a limit.
   */
  waitsSince(piece: number, now: number): void {
    const flight = this.#inFlight.get(piece);
    if (flight !== undefined) flight.since = now;
  }

  /** @returns whether it was in flight */
  written(piece: number): boolean {
    this.#needed.delete(piece);
    this.#ready.delete(piece);
    this.#putOff.delete(piece);
    this.#undurable.add(piece);
    return this.#inFlight.delete(piece);
  }

  /** @returns whether it was in flight */
  durable(piece: number): boolean {
    const wasInFlight = this.written(piece);
    this.#undurable.delete(piece);
    return wasInFlight;
  }

  /** Nobody wants this piece, whatever was said before. */
  unwanted(piece: number): boolean {
    return this.durable(piece);
  }

  /** It did not arrive, or cannot be read now. */
  comeBack(piece: number, until: number): boolean {
    const wasInFlight = this.#inFlight.delete(piece);
    if (this.#undurable.delete(piece)) this.#needed.add(piece);
    if (this.#needed.has(piece)) this.#putOff.set(piece, until);
    this.#ready.delete(piece);
    return wasInFlight;
  }

  /** Pieces that have been put off long enough are ready again. @returns when the next one will be */
  wakePutOff(now: number): number | undefined {
    let next: number | undefined;
    for (const [piece, until] of this.#putOff) {
      if (until > now) next = Math.min(next ?? until, until);
      else {
        this.#putOff.delete(piece);
        if (this.#isReady(piece)) this.#ready.add(piece);
      }
    }
    return next;
  }

  /** In flight, and the destination has been waited for since before `time`. */
  olderThan(time: number): number[] {
    return [...this.#inFlight].filter(([, { since }]) => since < time).map(([piece]) => piece);
  }

  #recount(): void {
    this.#ready = new PieceSet(this.pieceCount);
    for (const piece of this.#needed) if (this.#isReady(piece)) this.#ready.add(piece);
  }

  #isReady(piece: number): boolean {
    return (
      this.#available.has(piece) &&
      this.#needed.has(piece) &&
      !this.#inFlight.has(piece) &&
      !this.#putOff.has(piece)
    );
  }
}
