import { Refusal_Reason } from "@qbit-sidecars/qbsync-protocol";
import type { Logger } from "@qbit-sidecars/service";
import { errorCode } from "./error-code.ts";
import type { RefusedError } from "./refused.ts";

/** Of so many torrents it is remembered what was said; of further ones the oldest is forgotten. */
const knownAtMost = 1000;

/**
 * Tells the log which torrents were refused and why. A source asks again for as long as it takes, on a full disk every
 * few seconds: each reason is said once for a torrent, until it is another one or the torrent is taken.
 */
export class TellRefusals {
  readonly #log: Pick<Logger, "warn" | "debug">;
  readonly #told = new Map<string, string>();

  constructor(log: Pick<Logger, "warn" | "debug">) {
    this.#log = log;
  }

  tell({ torrentId, name }: { torrentId: string; name: string }, refused: RefusedError): void {
    const { reason, message, cause } = refused;
    if (reason === Refusal_Reason.TORRENT_NEEDED) return;
    const why = `${reason} ${errorCode(cause) ?? ""}`;
    const level = this.#told.get(torrentId) === why ? "debug" : "warn";
    this.#log[level]({ torrent: torrentId, name }, `refused: ${message}`);
    this.#told.delete(torrentId);
    this.#told.set(torrentId, why);
    const [oldest] = this.#told.keys();
    if (this.#told.size > knownAtMost && oldest !== undefined) this.#told.delete(oldest);
  }

  /** It was taken: refused again, it is told of again. */
  forget(torrentId: string): void {
    this.#told.delete(torrentId);
  }
}
