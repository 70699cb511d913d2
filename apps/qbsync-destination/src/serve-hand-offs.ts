import {
  GrpcError,
  grpcStatus as status,
  type QbSyncServer,
  type SeedingResponse,
  type sendUnaryData,
} from "@qbit-sidecars/qbsync-protocol";
import { QbitError } from "@qbit-sidecars/qbit-client";
import { messageWithCauses } from "@qbit-sidecars/service";
import { isFull } from "./error-code.ts";
import type { TakeOver } from "./take-over.ts";

/** The methods of the QbSync service that belong to hand-offs. */
export type HandOffMethods = Pick<
  QbSyncServer,
  "beginHandOff" | "startSeeding" | "stopSeeding" | "sourceRemoved" | "lookAtSeeding"
>;

type Answer = (task: () => Promise<SeedingResponse>, callback: sendUnaryData<SeedingResponse>) => unknown;

/**
 * Hand-offs as a source calls them; without a `TakeOver` none are. Each method only translates.
 *
 * @param ownerOf the name of the source that brought a torrent; empty where that is not known
 */
export function handOffMethods(
  takeOver: TakeOver | undefined,
  answer: Answer,
  ownerOf: (torrentId: string) => string,
): HandOffMethods {
  const asked = (
    task: (takeOver: TakeOver) => Promise<SeedingResponse>,
    callback: sendUnaryData<SeedingResponse>,
  ) => {
    if (takeOver === undefined) callback(notHere);
    else answer(() => reachable(task(takeOver)), callback);
  };
  return {
    beginHandOff({ request: { torrentId, handOffId: id, sourceName } }, callback) {
      asked((there) => there.ask(torrentId, { kind: "begin", id, sourceName, tags: [] }), callback);
    },
    startSeeding({ request: { torrentId, handOffId: id } }, callback) {
      asked((there) => there.ask(torrentId, { kind: "start", id, sourceName: "", tags: [] }), callback);
    },
    stopSeeding({ request: { torrentId, handOffId: id } }, callback) {
      asked((there) => there.ask(torrentId, { kind: "stop", id, sourceName: "", tags: [] }), callback);
    },
    sourceRemoved({ request: { torrentId, handOffId: id, sourceName, tags } }, callback) {
      const owner = ownerOf(torrentId);
      // Whoever has no hand-off of it, and whose it is not, does not know whether its source still seeds it.
      if (id === "" && owner !== "" && owner !== sourceName)
        return callback({
          code: status.FAILED_PRECONDITION,
          details: `it is the source ${JSON.stringify(owner)}'s`,
        });
      asked((there) => there.ask(torrentId, { kind: "removed", id, sourceName, tags }), callback);
    },
    lookAtSeeding({ request: { torrentId } }, callback) {
      asked((there) => there.look(torrentId), callback);
    },
  };
}

const notHere = {
  code: status.UNIMPLEMENTED,
  details: "this destination takes no part in hand-offs: it has no qBittorrent, or runs dry",
};

/** A qBittorrent that is away, or a full disk, is a reason to ask again, and says nothing about the torrent. */
async function reachable<T>(answering: Promise<T>): Promise<T> {
  try {
    return await answering;
  } catch (error) {
    if (error instanceof QbitError)
      throw new GrpcError(
        status.UNAVAILABLE,
        `the destination's qBittorrent cannot be asked: ${messageWithCauses(error)}`,
      );
    if (!isFull(error)) throw error;
    throw new GrpcError(status.UNAVAILABLE, `the destination cannot note it: ${messageWithCauses(error)}`);
  }
}
