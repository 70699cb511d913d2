/** A set of pieces. On the wire and on disk it is BitTorrent's bitfield: piece 0 is the highest bit of the first byte. */
export class PieceSet implements Iterable<number> {
  /** How many pieces the torrent has. */
  readonly pieceCount: number;
  readonly #bits: Uint8Array;
  #size = 0;

  constructor(pieceCount: number) {
    this.pieceCount = pieceCount;
    this.#bits = new Uint8Array(Math.ceil(pieceCount / 8));
  }

  /**
   * Takes a bitfield of somebody else.
   *
   * @throws RangeError when its length is not that of `pieceCount` pieces, or it has bits beyond them
   */
  static fromBytes(bytes: Uint8Array, pieceCount: number): PieceSet {
    const set = new PieceSet(pieceCount);
    const spare = set.#bits.length * 8 - pieceCount;
    if (bytes.length !== set.#bits.length)
      throw new RangeError(`a bitfield of ${bytes.length} bytes for ${pieceCount} pieces`);
    if (((bytes.at(-1) ?? 0) & ((1 << spare) - 1)) !== 0)
      throw new RangeError(`a bitfield with bits beyond its ${pieceCount} pieces`);
    set.#bits.set(bytes);
    for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) set.#size += 1;
    return set;
  }

  /** How many pieces are in the set. */
  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size === this.pieceCount;
  }

  has(piece: number): boolean {
    return ((this.#bits[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;
  }

  /** @returns whether it was not in the set before */
  add(piece: number): boolean {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.pieceCount)
      throw new RangeError(`there is no piece ${piece} of ${this.pieceCount}`);
    if (this.has(piece)) return false;
    this.#bits[piece >> 3]! |= 0x80 >> (piece & 7);
    this.#size += 1;
    return true;
  }

  /** @returns whether it was in the set before */
  delete(piece: number): boolean {
    if (!this.has(piece)) return false;
    this.#bits[piece >> 3]! &= ~(0x80 >> (piece & 7));
    this.#size -= 1;
    return true;
  }

  /** The lowest piece of the set from `from` on. */
  firstFrom(from: number): number | undefined {
    for (let piece = from; piece < this.pieceCount;) {
      if (this.has(piece)) return piece;
      // Bytes without a piece are passed over whole.
      piece = this.#bits[piece >> 3] === 0 ? (piece | 7) + 1 : piece + 1;
    }
    return undefined;
  }

  /** Ascending. */
  *[Symbol.iterator](): Iterator<number> {
    for (const [index, byte] of this.#bits.entries()) {
      if (byte === 0) continue;
      for (let bit = 0; bit < 8; bit += 1) if ((byte & (0x80 >> bit)) !== 0) yield index * 8 + bit;
    }
  }

  /** A copy, as a bitfield. */
  toBytes(): Uint8Array {
    return this.#bits.slice();
  }
}
