import { statfs } from "node:fs/promises";
import { Pause_Reason } from "@qbit-sidecars/qbsync-protocol";
import type { StoredTorrent } from "./stored-torrent.ts";

/** Bytes that this user may still write. */
export async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

/**
 * Promises space to torrents before their pieces come, so that ten of them do not fill the disk together. Files are
 * sparse: what is promised and not yet written is counted, not allocated.
 */
export class Space {
  readonly #free: () => Promise<number>;
  readonly #keepFreeBytes: number;
  readonly #promised = new Set<StoredTorrent>();

  constructor(options: { free: () => Promise<number>; keepFreeBytes: number }) {
    this.#free = options.free;
    this.#keepFreeBytes = options.keepFreeBytes;
  }

  /** Lets a torrent go on if what it still needs fits beside what others were promised; pauses it otherwise. */
  async admit(torrent: StoredTorrent): Promise<boolean> {
    const needed = torrent.neededBytes();
    const left = (await this.#free()) - this.#keepFreeBytes - this.#promisedBytes(torrent);
    if (needed <= left) {
      this.#promised.add(torrent);
      torrent.resume();
      return true;
    }
    this.#promised.delete(torrent);
    torrent.pause(
      Pause_Reason.SPACE,
      `${needed} bytes are needed, and ${Math.max(0, left)} are free beside ${this.#keepFreeBytes} that are left alone and what other torrents still need`,
    );
    return false;
  }

  release(torrent: StoredTorrent): void {
    this.#promised.delete(torrent);
  }

  #promisedBytes(beside: StoredTorrent): number {
    let bytes = 0;
    for (const torrent of this.#promised) if (torrent !== beside) bytes += torrent.neededBytes();
    return bytes;
  }
}
