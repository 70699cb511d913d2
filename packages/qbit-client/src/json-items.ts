const code = {
  quote: 0x22,
  backslash: 0x5c,
  openList: 0x5b,
  closeList: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** 1 for every byte that is neither bracket nor quote. */
const plain = new Uint8Array(256).fill(1);
for (const byte of Object.values(code)) if (byte !== code.backslash) plain[byte] = 0;

/**
 * Takes the text of a JSON array piece by piece and hands out the text of each object in it: an answer of 73 MB is
 * never held, only the object that is just arriving. The array's own syntax is checked as far as where it begins,
 * that it ends, and that only objects and commas stand in it; what is inside of them is for `JSON.parse`.
 */
export class JsonItems {
  readonly #onItem: (text: string) => void;
  /** 0 outside of the array, 1 in it, 2 and more in an item. */
  #depth = 0;
  #isText = false;
  #isEscaped = false;
  #isWrong = false;
  #isWhole = false;
  /** Pieces of an item that has not ended yet. */
  #begun: Buffer[] = [];

  constructor(onItem: (text: string) => void) {
    this.#onItem = onItem;
  }

  /** The array has ended, and nothing was wrong with it. */
  get isWhole(): boolean {
    return this.#isWhole && !this.#isWrong;
  }

  /** False when this is no array of objects. */
  push(piece: Buffer): boolean {
    let from = 0;
    let at = 0;
    while (at < piece.length && !this.#isWrong) {
      at = this.#isText ? this.#skipText(piece, at) : this.#skipPlain(piece, at);
      const byte = piece[at];
      if (byte === undefined) break;
      if (byte === code.openObject || byte === code.openList) {
        if (this.#depth === 1) from = at;
        this.#open(byte);
      } else if (byte === code.closeObject || byte === code.closeList) {
        this.#depth -= 1;
        if (this.#depth === 1) this.#end(piece.subarray(from, at + 1));
        if (this.#depth === 0) this.#isWhole = true;
      } else if (byte === code.quote && this.#depth > 1) this.#isText = true;
      else if (!isBetween(byte)) this.#isWrong = true;
      at += 1;
    }
    if (this.#depth > 1) this.#begun.push(Buffer.from(piece.subarray(from)));
    return !this.#isWrong;
  }

  /** To behind the quote that ends a text. This and the next see every byte of 73 MB, so they are loops of little. */
  #skipText(piece: Buffer, from: number): number {
    let at = this.#isEscaped ? from + 1 : from;
    this.#isEscaped = false;
    for (; at < piece.length; at += 1) {
      const byte = piece[at];
      if (byte === code.backslash) at += 1;
      else if (byte === code.quote) {
        this.#isText = false;
        return this.#skipPlain(piece, at + 1);
      }
    }
    this.#isEscaped = at > piece.length;
    return piece.length;
  }

  /** To the next byte that means something: inside of an item, a bracket or the quote that begins a text. */
  #skipPlain(piece: Buffer, from: number): number {
    let at = from;
    if (this.#depth < 2) return at;
    while (at < piece.length && plain[piece[at] ?? 0] === 1) at += 1;
    return at;
  }

  #open(byte: number): void {
    const isArray = byte === code.openList;
    if (this.#isWhole || (this.#depth === 0 && !isArray) || (this.#depth === 1 && isArray))
      this.#isWrong = true;
    this.#depth += 1;
  }

  #end(last: Buffer): void {
    const item = this.#begun.length === 0 ? last : Buffer.concat([...this.#begun, last]);
    this.#begun = [];
    this.#onItem(item.toString("utf8"));
  }
}

/** White space and commas. */
function isBetween(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 || byte === 0x2c;
}
