import type { FileHandle } from "node:fs/promises";

/** Bytes of a file: the first, and the one behind the last. */
export type ByteRange = readonly [from: number, end: number];

/** Read at a time of two files that are compared. */
const blockBytes = 1024 * 1024;

export async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += (await handle.write(bytes, at, bytes.length - at, position + at)).bytesWritten;
}

/** @returns how many bytes there were */
export async function readAll(handle: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let at = 0;
  while (at < into.length) {
    const { bytesRead } = await handle.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}

/** The same stretch of two files, block by block; what one of them does not have is zero. */
export async function* blocksOf(
  one: FileHandle,
  other: FileHandle,
  [from, end]: ByteRange,
): AsyncGenerator<{ at: number; one: Buffer; other: Buffer }> {
  for (let at = from; at < end; at += blockBytes) {
    const [a, b] = [one, other].map(() => Buffer.alloc(Math.min(blockBytes, end - at)));
    await Promise.all([readAll(one, a!, at), readAll(other, b!, at)]);
    yield { at, one: a!, other: b! };
  }
}

export async function haveSameBytes(
  one: FileHandle,
  other: FileHandle,
  ranges: readonly ByteRange[],
): Promise<boolean> {
  for (const range of ranges)
    for await (const block of blocksOf(one, other, range)) if (!block.one.equals(block.other)) return false;
  return true;
}
