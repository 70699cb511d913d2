import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";

/**
 * What happened to a torrent's data, in order.
 * - `written`: pieces that the operating system has
 * - `durable`: everything in the log before `upTo` (a byte offset) is on the disk
 * - `lost`: pieces whose data turned out to be gone or wrong
 * - `created`: an unfinished file of ours, by its inode
 * - `placed`: a file under its name, whole; `ctimeNs` tells later whether anybody touched it since
 * - `finished`: the torrent is stored, and qBittorrent has it
 */
export type LogEntry =
  | { kind: "written" | "lost"; piece: number; count: number }
  | { kind: "durable"; upTo: number }
  | { kind: "created"; file: number; ino: bigint }
  | { kind: "placed"; file: number; origin: Origin; ino: bigint; ctimeNs: bigint }
  | { kind: "finished" | "reopened" };

/**
 * Who made a file that stands under its name: this torrent, another one (hard link), somebody else, or this torrent in
 * the place of another one's fragment, so that both stand on it.
 */
export type Origin = "own" | "link" | "foreign" | "shared";

const kinds = ["written", "lost", "durable", "created", "placed", "finished", "reopened"] as const;
const origins = ["own", "link", "foreign", "shared"] as const;

/** CRC (4), kind (1), origin (1), 2 spare, two numbers of 4 and two of 8 bytes. */
const recordBytes = 32;

/**
 * An append-only file of records of one size. Each carries a CRC over itself and the CRC before it, so that a
 * reader stops at the first record that is torn, corrupted or left over from another life of the file.
 */
export class PieceLog implements AsyncDisposable {
  readonly #file: FileHandle;
  #size: number;
  #onDisk: number;
  #crc: number;
  #queue: Buffer[] = [];
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, size: number, crc: number) {
    this.#file = file;
    this.#size = size;
    this.#onDisk = size;
    this.#crc = crc;
  }

  /**
   * Opens a log, reads what is whole in it and cuts the rest off.
   *
   * @param seed makes the chain of CRCs this torrent's
   * @returns the entries with the offset behind each
   */
  static async open(
    path: string,
    seed: string,
  ): Promise<{ log: PieceLog; entries: { entry: LogEntry; end: number }[] }> {
    const file = await open(path, "a+", 0o600);
    try {
      const bytes = await file.readFile();
      const { entries, size, crc } = read(bytes, crc32(seed));
      if (size < bytes.length) await file.truncate(size);
      return { log: new PieceLog(file, size, crc), entries };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Where the next record will begin. */
  get size(): number {
    return this.#size;
  }

  /** Resolves when the operating system has the records. Calls made meanwhile share one write. */
  append(...entries: readonly LogEntry[]): Promise<void> {
    for (const entry of entries) {
      const record = encode(entry, this.#crc);
      this.#crc = record.readUInt32LE(0);
      this.#size += recordBytes;
      this.#queue.push(record);
    }
    this.#writing = this.#writing.catch(() => {}).then(() => this.#flush());
    return this.#writing;
  }

  /** Resolves when the disk has everything that was appended. */
  async sync(): Promise<void> {
    await this.append();
    await this.#file.datasync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    if (this.#queue.length === 0) return;
    const bytes = Buffer.concat(this.#queue);
    this.#queue = [];
    try {
      for (let at = 0; at < bytes.length;) at += (await this.#file.write(bytes, at)).bytesWritten;
      this.#onDisk += bytes.length;
    } catch (error) {
      // A full disk, perhaps: the records wait for the next call, and no half of one is left in the file.
      this.#queue.unshift(bytes);
      await this.#file.truncate(this.#onDisk);
      throw error;
    }
  }
}

function encode(entry: LogEntry, previousCrc: number): Buffer {
  const record = Buffer.alloc(recordBytes);
  record.writeUInt8(kinds.indexOf(entry.kind), 4);
  if ("piece" in entry) {
    record.writeUInt32LE(entry.piece, 8);
    record.writeUInt32LE(entry.count, 12);
  }
  if ("upTo" in entry) record.writeBigUInt64LE(BigInt(entry.upTo), 16);
  if ("file" in entry) {
    record.writeUInt32LE(entry.file, 8);
    record.writeBigUInt64LE(entry.ino, 16);
  }
  if ("origin" in entry) {
    record.writeUInt8(origins.indexOf(entry.origin), 5);
    record.writeBigUInt64LE(entry.ctimeNs, 24);
  }
  record.writeUInt32LE(crc32(record.subarray(4), previousCrc), 0);
  return record;
}

function read(bytes: Buffer, seed: number) {
  const entries: { entry: LogEntry; end: number }[] = [];
  let crc = seed;
  let size = 0;
  for (; size + recordBytes <= bytes.length; size += recordBytes) {
    const record = bytes.subarray(size, size + recordBytes);
    const expected = crc32(record.subarray(4), crc);
    const entry = decode(record);
    if (record.readUInt32LE(0) !== expected) break;
    // Whole, and yet not to be understood: cutting it off would lose what a newer version wrote.
    if (entry === undefined) throw new Error("the log of pieces has a record of a newer version");
    crc = expected;
    entries.push({ entry, end: size + recordBytes });
  }
  return { entries, size, crc };
}

function decode(record: Buffer): LogEntry | undefined {
  const kind = kinds[record.readUInt8(4)];
  const origin = origins[record.readUInt8(5)];
  const [first, second] = [record.readUInt32LE(8), record.readUInt32LE(12)];
  const [large, ctimeNs] = [record.readBigUInt64LE(16), record.readBigUInt64LE(24)];
  if (kind === "written" || kind === "lost") return { kind, piece: first, count: second };
  if (kind === "durable") return { kind, upTo: Number(large) };
  if (kind === "created") return { kind, file: first, ino: large };
  if (kind === "placed") return origin && { kind, file: first, origin, ino: large, ctimeNs };
  return kind && { kind };
}
