/** Deepest nesting a torrent file may have; real ones stay below 30 (v2 file trees nest with the folders). */
const deepest = 200;

export class BencodeError extends Error {
  override name = "BencodeError";
}

/** A value within a bencoded file, by its place: `[start, end)`. */
export type Span = readonly [start: number, end: number];

const [colon, zero, nine, minus] = [0x3a, 0x30, 0x39, 0x2d];
const [letterD, letterE, letterI, letterL] = [0x64, 0x65, 0x69, 0x6c];

/**
 * Where a dictionary's values lie, by key, without decoding them: an infohash is taken over the bytes as they
 * are, so the file is walked and not rebuilt.
 */
export function dictionarySpans(bytes: Uint8Array, start = 0): ReadonlyMap<string, Span> {
  if (bytes[start] !== letterD) throw new BencodeError(`no dictionary at ${start}`);
  const spans = new Map<string, Span>();
  let at = start + 1;
  while (bytes[at] !== letterE) {
    const key = stringSpan(bytes, at);
    const end = endOf(bytes, key[1]);
    spans.set(Buffer.from(bytes.subarray(...key)).toString("latin1"), [key[1], end]);
    at = end;
  }
  return spans;
}

export function integerAt(bytes: Uint8Array, [start, end]: Span): number | undefined {
  if (bytes[start] !== letterI) return undefined;
  return Number(Buffer.from(bytes.subarray(start + 1, end - 1)).toString("latin1"));
}

/** The end of the value that begins at `start`. Iterative: nesting is the sender's to choose, our stack is not. */
export function endOf(bytes: Uint8Array, start: number): number {
  let at = start;
  let depth = 0;
  do {
    const type = bytes[at];
    if (type === letterD || type === letterL) depth = deeper(depth, at);
    else if (type === letterE && depth > 0) depth -= 1;
    at = type === letterD || type === letterL || type === letterE ? at + 1 : scalarEnd(bytes, at);
  } while (depth > 0);
  if (at === start + 1) throw new BencodeError(`no value at ${start}`);
  return at;
}

function deeper(depth: number, at: number): number {
  if (depth >= deepest) throw new BencodeError(`nested too deeply at ${at}`);
  return depth + 1;
}

function scalarEnd(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== letterI) return stringSpan(bytes, at)[1];
  let end = at + 1;
  if (bytes[end] === minus) end += 1;
  const digits = end;
  while (isDigit(bytes[end])) end += 1;
  if (end === digits || bytes[end] !== letterE) throw new BencodeError(`no integer at ${at}`);
  return end + 1;
}

function stringSpan(bytes: Uint8Array, at: number): Span {
  let length = 0;
  let end = at;
  for (; isDigit(bytes[end]) && end - at < 10; end += 1) length = length * 10 + (bytes[end] ?? 0) - zero;
  if (end === at || bytes[end] !== colon) throw new BencodeError(`no string at ${at}`);
  const start = end + 1;
  if (start + length > bytes.length) throw new BencodeError(`the string at ${at} ends after the file`);
  return [start, start + length];
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}
