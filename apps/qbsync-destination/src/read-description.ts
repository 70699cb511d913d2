import {
  GrpcError,
  grpcStatus as status,
  type OpenPart,
  TorrentDescription,
} from "@qbit-sidecars/qbsync-protocol";
import { messageWithCauses } from "@qbit-sidecars/service";

/** A source that has sent no part of a description for so long is not coming back. */
const idleMs = 30_000;

type Parts = AsyncIterable<OpenPart> & { destroy(error: Error): unknown };

/**
 * Joins the parts of torrents' descriptions. What sources may make it hold is bounded: one description by its own
 * limit, all that are under way by twice that, and for how long nothing may come.
 */
export class DescriptionReader {
  readonly #longest: number;
  readonly #idleMs: number;
  #heldBytes = 0;

  constructor(longestBytes: number, { idleMs: idle = idleMs } = {}) {
    this.#longest = longestBytes;
    this.#idleMs = idle;
  }

  /** @throws GrpcError */
  async read(parts: Parts): Promise<TorrentDescription> {
    const joined: Uint8Array[] = [];
    let bytes = 0;
    const timer = setTimeout(() => parts.destroy(silent), this.#idleMs);
    try {
      for await (const { data } of parts) {
        timer.refresh();
        bytes += data.length;
        this.#heldBytes += data.length;
        if (bytes > this.#longest) throw tooLong(`a description of more than ${this.#longest} bytes`);
        if (this.#heldBytes > 2 * this.#longest) throw tooLong("other descriptions are coming in; try again");
        joined.push(data);
      }
      return decoded(joined);
    } finally {
      clearTimeout(timer);
      this.#heldBytes -= bytes;
    }
  }
}

const silent = new GrpcError(
  status.DEADLINE_EXCEEDED,
  `no part of the description came for ${idleMs / 1000} s`,
);

const tooLong = (words: string): GrpcError => new GrpcError(status.RESOURCE_EXHAUSTED, words);

function decoded(parts: readonly Uint8Array[]): TorrentDescription {
  try {
    return TorrentDescription.decode(Buffer.concat(parts));
  } catch (cause) {
    throw new GrpcError(status.INVALID_ARGUMENT, `no TorrentDescription: ${messageWithCauses(cause)}`);
  }
}
