import type { Tags, TrackedTorrent } from "./tracked-torrent.ts";

/** What was found out longer ago is looked at again before a torrent is finalized. */
const freshMs = 10_000;

/** What is to be done next for a torrent, if anything. */
export type Action =
  | "describe"
  | "open"
  | "look"
  | "finalize"
  | "tagSynced"
  | "tagFailed"
  | "forgive"
  | "abort"
  | undefined;

/** Decides what is to be done next for a torrent. */
export function nextAction(
  tracked: TrackedTorrent,
  context: { tags: Tags; now: number; goneForMs: number; isConnected: boolean },
): Action {
  const { tags, now, isConnected } = context;
  if (tracked.goneSince !== undefined) {
    const isHeld = tracked.hold !== undefined && tracked.hold.until > now;
    if (now - tracked.goneSince < context.goneForMs || !isConnected || isHeld) return undefined;
    // All of it is there already: thrown away it would be lost to both sides.
    const isTaken = tracked.isOpen || tracked.isPaused;
    const isAllThere = isTaken && tracked.isCompleteHere && tracked.progress?.isDelivered === true;
    return isAllThere && !tracked.isFinished && tracked.failure === undefined ? "finalize" : "abort";
  }
  if (tracked.isFinished && !tracked.lacksTag(tags.synced, now))
    return tracked.isStale ? "describe" : undefined;
  if (tracked.isFinished) return untagged(tracked, context);
  if (tracked.failure !== undefined && tracked.lacksTag(tags.syncFailed, now))
    return tracked.taggedAt.has(tags.syncFailed) ? "forgive" : "tagFailed";
  if (isConnected && tracked.askAgainAt !== undefined && now >= tracked.askAgainAt) return "look";
  if (!isConnected || tracked.obstacle(tags, now) !== undefined) return undefined;
  if (tracked.described === undefined || tracked.isStale) return "describe";
  if (tracked.isInDoubt || tracked.isPaused) return "look";
  if (!tracked.isOpen) return "open";
  if (!tracked.isCompleteHere || tracked.progress?.isDelivered !== true) return undefined;
  return now - tracked.describedAt > freshMs ? "describe" : "finalize";
}

/**
 * It is finished there, and nothing here says so: it was finished a moment ago, or was added anew, or a person took the
 * tag off. So it is asked whether it is still there; if it was deleted it comes again.
 */
function untagged(
  tracked: TrackedTorrent,
  { tags, now, isConnected }: { tags: Tags; now: number; isConnected: boolean },
): Action {
  if (tracked.isSureThere) return "tagSynced";
  if (!isConnected || tracked.hindrance(tags, now) !== undefined) return undefined;
  return tracked.described === undefined || tracked.isStale ? "describe" : "open";
}
