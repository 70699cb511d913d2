import type { ReceiveWindows } from "./receive-windows.ts";

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

/** grpc-js decodes so many messages of a stream ahead of its reader, whatever `pause()` says (1.14: object mode). */
const readAheadMessages = 16;

/** How a memory budget is divided among what arrives. */
export type BufferPlan = {
  /** `Send` streams at the same time. */
  maxStreams: number;
  maxChunkBytes: number;
  windows: ReceiveWindows;
  /** For chunks that were taken from a stream and are being hashed and written. */
  workBytes: number;
};

/**
 * Divides a budget so that it holds whatever the sender does: for every stream its window and what grpc-js reads
 * ahead, and a quarter of all for chunks at work. Chunks and windows shrink with the budget, down to 64 KiB each.
 *
 * @throws RangeError when the budget is too small for one stream
 */
export function planBuffers(budgetBytes: number, wantedStreams = 8): BufferPlan {
  const forStreams = budgetBytes * 0.75;
  const smallest = 64 * kibibyte * (readAheadMessages + 1);
  const maxStreams = Math.min(wantedStreams, Math.floor(forStreams / smallest));
  if (maxStreams < 1) throw new RangeError(`a budget of ${budgetBytes} bytes does not hold one stream`);
  const share = forStreams / maxStreams;
  const maxChunkBytes = Math.min(mebibyte, powerOfTwoUpTo(share / (readAheadMessages * 1.5)));
  const windowBytes = Math.floor(Math.min(16 * mebibyte, share - readAheadMessages * maxChunkBytes));
  return {
    maxStreams,
    maxChunkBytes,
    windows: { streamBytes: windowBytes, connectionBytes: windowBytes },
    workBytes: budgetBytes - forStreams,
  };
}

const powerOfTwoUpTo = (value: number): number => 2 ** Math.max(16, Math.floor(Math.log2(value)));
