import type { StoredTorrent } from "./stored-torrent.ts";

/** Reads pieces from the torrent's own files and hashes them. Memory does not grow with the piece length. */
export async function verifyPieces(
  torrent: Pick<StoredTorrent, "layout" | "files">,
  pieces: Iterable<number>,
  onPiece: (bytes: number) => void = () => {},
): Promise<{ right: number[]; wrong: number[]; hashedBytes: number }> {
  const { layout } = torrent;
  const result = { right: [] as number[], wrong: [] as number[], hashedBytes: 0 };
  const buffer = Buffer.allocUnsafe(readBytes);
  for (const piece of pieces) {
    const verifier = layout.verifier(piece);
    for (const { file, offset, length } of layout.slices(piece))
      for (let at = 0; at < length; at += readBytes) {
        const part = { file, offset: offset + at, length: Math.min(readBytes, length - at) };
        const read = await torrent.files.read(part, buffer);
        verifier.update(buffer.subarray(0, read));
      }
    (verifier.matches() ? result.right : result.wrong).push(piece);
    result.hashedBytes += layout.pieceSize(piece);
    onPiece(layout.pieceSize(piece));
  }
  return result;
}

const readBytes = 1024 * 1024;
