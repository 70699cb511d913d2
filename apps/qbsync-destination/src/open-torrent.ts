import { isComplete } from "@qbit-sidecars/qbit-client";
import { Refusal_Reason, type TorrentDescription, type TorrentState } from "@qbit-sidecars/qbsync-protocol";
import { type Logger, messageWithCauses } from "@qbit-sidecars/service";
import { RefusedError } from "./refused.ts";
import type { TakenOverBy } from "./take-over.ts";
import type { TorrentStore } from "./torrent-store.ts";

/** The source waits for an answer; a qBittorrent that is silent for longer is asked when the torrent is finished. */
const patienceMs = 3000;

/** Where only qBittorrent can tell what is to be done. */
const askAgainMs = 5000;

export type Opener = {
  store: Pick<TorrentStore, "get" | "isFinished" | "open">;
  qbittorrent: Pick<TakenOverBy, "see">;
  log: Logger;
  signal: AbortSignal;
};

/**
 * Opens a torrent, unless qBittorrent is at work on it: two programs that write the same files do not get along. What
 * was begun here is ours, however far qBittorrent is with it, and what is complete there is found and hashed.
 *
 * @throws RefusedError
 */
export async function openTorrent(
  description: TorrentDescription,
  { store, qbittorrent, log, signal }: Opener,
): Promise<TorrentState> {
  const { torrentId: id } = description;
  const within = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  if (store.isFinished(id)) return await openFinished(description, { store, qbittorrent, within });
  if (store.get(id) === undefined) {
    const seen = await qbittorrent.see(id, within).catch((error: unknown) => {
      log.debug({ torrent: id }, `whether qBittorrent has it is not known: ${messageWithCauses(error)}`);
      return undefined;
    });
    if (seen !== undefined && !(isComplete(seen.state) && seen.progress === 1))
      throw new RefusedError(
        `it is in the destination's qBittorrent (${seen.state}, ${(seen.progress * 100).toFixed(1)} %); remove it there, or let it be completed there`,
        Refusal_Reason.IN_QBITTORRENT,
      );
  }
  return await store.open(description);
}

/** What qBittorrent has is where qBittorrent wants it, also where no file is at the place that it was given at. */
async function openFinished(
  description: TorrentDescription,
  { store, qbittorrent, within }: Pick<Opener, "store" | "qbittorrent"> & { within: AbortSignal },
): Promise<TorrentState> {
  if (!description.againIfGone) return await store.open(description);
  const isHere = await qbittorrent.see(description.torrentId, within).then(
    (seen) => seen !== undefined,
    (cause: unknown) => {
      const why = `whether the destination's qBittorrent still has it is not known: ${messageWithCauses(cause)}`;
      throw new RefusedError(why, Refusal_Reason.BUSY, { cause, retryAfterMs: askAgainMs });
    },
  );
  return await store.open({ ...description, againIfGone: !isHere });
}
