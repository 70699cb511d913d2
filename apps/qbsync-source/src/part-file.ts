import { type FileHandle, open } from "node:fs/promises";
import { posix } from "node:path";

/** A slot number that means: nothing is kept of this piece. */
const noSlot = 0xff_ff_ff_ff;

/** The header is rounded up to a multiple of this. */
const headerBlock = 1024;

/**
 * Where libtorrent keeps the bytes of a piece that belong to files nobody selected (`part_file.cpp`, the same in
 * qBittorrent 4.5 to 5.3): big-endian numbers of pieces and of bytes in a piece, one slot number for each piece, and
 * after that the slots, each as long as a piece and with its bytes where they are in the piece.
 */
export class PartFile {
  readonly #file: FileHandle;
  readonly #slots: DataView;
  readonly #pieceLength: number;

  private constructor(file: FileHandle, slots: DataView, pieceLength: number) {
    this.#file = file;
    this.#slots = slots;
    this.#pieceLength = pieceLength;
  }

  /** @returns undefined where there is none, or none of this torrent */
  static async open(
    folder: string,
    torrent: { torrentId: string; pieceCount: number; pieceLength: number },
  ): Promise<PartFile | undefined> {
    const file = await open(posix.join(folder, `.${torrent.torrentId}.parts`)).catch(() => undefined);
    if (file === undefined) return undefined;
    const header = Buffer.alloc(8 + 4 * torrent.pieceCount);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    const fits =
      bytesRead === header.length &&
      header.readUInt32BE(0) === torrent.pieceCount &&
      header.readUInt32BE(4) === torrent.pieceLength;
    if (!fits) {
      await file.close();
      return undefined;
    }
    return new PartFile(
      file,
      new DataView(header.buffer, header.byteOffset + 8, 4 * torrent.pieceCount),
      torrent.pieceLength,
    );
  }

  has(piece: number): boolean {
    return this.#slot(piece) !== noSlot;
  }

  /** Reads bytes of a piece, from `pieceOffset` on. @returns how many were there */
  async read(bytes: Uint8Array, piece: number, pieceOffset: number): Promise<number> {
    const headerBytes = Math.ceil((8 + this.#slots.byteLength) / headerBlock) * headerBlock;
    const position = headerBytes + this.#slot(piece) * this.#pieceLength + pieceOffset;
    return (await this.#file.read(bytes, 0, bytes.length, position)).bytesRead;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  #slot(piece: number): number {
    return this.#slots.getUint32(4 * piece);
  }
}
