import { PieceChunk } from "../gen/qbit_sidecars/qbsync/v1/qbsync.ts";

/** Field 15, wire type 2: a length and as many bytes. */
const dataTag = (15 << 3) | 2;

/** The same bytes as the generated encoder writes, with the payload copied once rather than twice. */
export function encodePieceChunk({ data, ...chunk }: PieceChunk): Buffer {
  const head = PieceChunk.encode({ ...chunk, data: new Uint8Array() });
  if (data.length > 0) head.uint32(dataTag).uint32(data.length);
  return Buffer.concat([head.finish(), data]);
}
