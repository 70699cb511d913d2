import type { FileHandle } from "node:fs/promises";
import { blocksOf, type ByteRange, writeAll } from "./file-bytes.ts";

/**
 * An unselected file of which a piece of a selected one has a part. On the disk it is that part, with holes around it,
 * so that qBittorrent finds the piece whole.
 */
export type Fragment = { path: string; ino: bigint; parts: readonly ByteRange[] };

/** A file, and the parts of it that somebody stands on. */
type Held = { file: FileHandle; parts: readonly ByteRange[] };

/**
 * Makes `mine` fit to stand in the place of a fragment: it gets whatever that has and it has not itself. Where both
 * have something it must be the same; where a fragment has nothing, it may have holes.
 *
 * @returns false when they contradict each other
 */
export async function takeIn(mine: Held, fragment: Held, sizeBytes: number): Promise<boolean> {
  for (const range of segmentsOf([...mine.parts, ...fragment.parts], sizeBytes)) {
    const isMine = isWithin(range, mine.parts);
    const mayBeHole = !isWithin(range, fragment.parts);
    for await (const { at, one, other } of blocksOf(mine.file, fragment.file, range)) {
      if (one.equals(other) || (mayBeHole && other.every((byte) => byte === 0))) continue;
      if (isMine) return false;
      await writeAll(mine.file, other, at);
    }
  }
  return true;
}

/** The file cut wherever one of these begins or ends. */
function segmentsOf(parts: readonly ByteRange[], sizeBytes: number): ByteRange[] {
  const cuts = [...new Set([0, sizeBytes, ...parts.flat()])].toSorted((a, b) => a - b);
  return cuts.slice(1).map((end, index) => [cuts[index] ?? 0, end]);
}

const isWithin = ([from, end]: ByteRange, parts: readonly ByteRange[]): boolean =>
  parts.some((part) => part[0] <= from && end <= part[1]);
