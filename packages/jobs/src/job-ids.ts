import { randomFillSync } from "node:crypto";

const mostInOneMs = 0xfff;

/**
 * UUIDs of version 7 (RFC 9562): 48 bits of time, then a counter, so that ids sort as they were made, also within one
 * millisecond and when the wall clock is set back. (Node 24 has no randomUUIDv7.)
 */
export class JobIds {
  readonly #now: () => number;
  #ms = 0;
  #counter = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  next(): string {
    const ms = this.#now();
    if (ms > this.#ms) {
      this.#ms = ms;
      this.#counter = 0;
    } else if (this.#counter < mostInOneMs) {
      this.#counter += 1;
    } else {
      this.#ms += 1;
      this.#counter = 0;
    }
    const bytes = randomFillSync(Buffer.alloc(16));
    bytes.writeUIntBE(this.#ms, 0, 6);
    bytes.writeUInt16BE(0x7000 | this.#counter, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString("hex");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }
}
