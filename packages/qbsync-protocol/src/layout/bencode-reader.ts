import { LayoutError } from "./layout-error.ts";

/** A dictionary's keys are bytes; here each byte is a character (Latin-1), so that none is lost. */
export type Dictionary = ReadonlyMap<string, Value>;

/** Strings are views into the file, never copies. */
export type Value = number | Uint8Array | readonly Value[] | Dictionary;

/** What one file may hold. libtorrent, which wrote what we read, has the same bounds. */
const limits = { depth: 100, values: 3_000_000, keyBytes: 4096 };

const [colon, zero, nine, minus] = [0x3a, 0x30, 0x39, 0x2d];
const [letterD, letterE, letterI, letterL] = [0x64, 0x65, 0x69, 0x6c];

/**
 * Reads bencoding (BEP 3) strictly: no number or length has a second spelling, no key stands twice, nothing follows
 * the end. Keys may be out of order, since infohashes of such torrents exist.
 */
export class BencodeReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * The whole file as one dictionary, and the bytes of the value under `rawKey` as they stand there.
   *
   * @throws LayoutError
   */
  root(rawKey: string): { root: Dictionary; raw: Uint8Array | undefined } {
    if (this.#bytes[0] !== letterD) throw this.#malformed("no dictionary");
    let raw: Uint8Array | undefined;
    const root = this.#dictionary((key, from, to) => {
      if (key === rawKey) raw = this.#bytes.subarray(from, to);
    });
    if (this.#at !== this.#bytes.length) throw this.#malformed("bytes after the end");
    return { root, raw };
  }

  #value(): Value {
    this.#values += 1;
    if (this.#values > limits.values) throw new LayoutError(`more than ${limits.values} values`, "tooLarge");
    const type = this.#bytes[this.#at];
    if (type === letterI) return this.#integer();
    if (type === letterL) return this.#list();
    if (type === letterD) return this.#dictionary();
    return this.#string();
  }

  #list(): Value[] {
    this.#enter();
    const items: Value[] = [];
    while (!this.#leaves()) items.push(this.#value());
    return items;
  }

  #dictionary(onEntry?: (key: string, from: number, to: number) => void): Dictionary {
    this.#enter();
    const entries = new Map<string, Value>();
    while (!this.#leaves()) {
      const bytes = this.#string();
      if (bytes.length > limits.keyBytes) throw this.#malformed(`a key of ${bytes.length} bytes`);
      const key = latin1(bytes);
      if (entries.has(key)) throw this.#malformed("a key that stands twice");
      const from = this.#at;
      entries.set(key, this.#value());
      onEntry?.(key, from, this.#at);
    }
    return entries;
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth > limits.depth) throw this.#malformed("too deep a nesting");
    this.#at += 1;
  }

  #leaves(): boolean {
    if (this.#bytes[this.#at] !== letterE) return false;
    this.#at += 1;
    this.#depth -= 1;
    return true;
  }

  #integer(): number {
    this.#at += 1;
    const isNegative = this.#bytes[this.#at] === minus;
    if (isNegative) this.#at += 1;
    const value = this.#digits();
    if (isNegative && value === 0) throw this.#malformed("a negative zero");
    this.#expect(letterE);
    return isNegative ? -value : value;
  }

  #string(): Uint8Array {
    const length = this.#digits();
    this.#expect(colon);
    const start = this.#at;
    if (length > this.#bytes.length - start) throw this.#malformed("a string that ends after the file");
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  #digits(): number {
    const start = this.#at;
    let value = 0;
    for (let byte = this.#bytes[start]; isDigit(byte); byte = this.#bytes[this.#at]) {
      value = value * 10 + byte - zero;
      this.#at += 1;
      if (!Number.isSafeInteger(value)) throw this.#malformed("a number beyond 2^53");
    }
    const count = this.#at - start;
    if (count === 0) throw this.#malformed("no value");
    if (count > 1 && this.#bytes[start] === zero) throw this.#malformed("a number with a leading zero");
    return value;
  }

  #expect(byte: number): void {
    if (this.#bytes[this.#at] !== byte) throw this.#malformed(`no "${String.fromCharCode(byte)}"`);
    this.#at += 1;
  }

  #malformed(what: string): LayoutError {
    return new LayoutError(`not a torrent file: ${what} at byte ${this.#at}`);
  }
}

function isDigit(byte: number | undefined): byte is number {
  return byte !== undefined && byte >= zero && byte <= nine;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}
