import type { CleanupReport } from "./clean-up.ts";
import { nextAction } from "./plan-sync.ts";
import type { Tags, TrackedTorrent } from "./tracked-torrent.ts";

/** Why torrents are not handed over and removed here; see clean-up.ts. */
type CleanUpReasons = { planOf(id: string): CleanupReport };

type Context = { tags: Tags; now: number; goneForMs: number; isConnected: boolean; dryRun: boolean };

/** What is going to happen with the sync of one torrent, and why nothing does. */
export type SyncPlan = {
  plan: "done" | "sync" | "wait" | "drop" | "leave";
  /** For people. */
  why: string;
};

/** What is going to happen with every torrent, in the order of `GET /status`: the body of `GET /plan`. */
export function planReport(
  torrents: Iterable<TrackedTorrent>,
  { cleanUp, ...context }: Context & { cleanUp: CleanUpReasons },
) {
  return [...torrents].map((tracked) => ({
    id: tracked.id,
    name: tracked.torrent.name,
    sync: syncPlan(tracked, context),
    clean_up: cleanUp.planOf(tracked.id),
  }));
}

export function syncPlan(tracked: TrackedTorrent, context: Context): SyncPlan {
  const { tags, now, isConnected, dryRun } = context;
  if (tracked.goneSince !== undefined) return goneFrom(tracked, context);
  if (tracked.isFinished) return { plan: "done", why: "complete at the destination" };
  if (tracked.failure !== undefined) return { plan: "leave", why: tracked.failure };
  const obstacle = tracked.obstacle(tags, now);
  if (obstacle !== undefined) {
    const isLeft = tracked.hasTag(tags.excludeSync) || tracked.hasTag(tags.syncFailed);
    return { plan: isLeft ? "leave" : "wait", why: obstacle };
  }
  if (dryRun) return { plan: "leave", why: "dry run: it would be synced" };
  if (!isConnected) return { plan: "wait", why: "the destination is away" };
  return { plan: "sync", why: stageOf(tracked, context) };
}

function goneFrom(tracked: TrackedTorrent, { goneForMs, dryRun }: Context): SyncPlan {
  if (tracked.isFinished || !tracked.isKnownThere)
    return { plan: "done", why: "gone from qBittorrent; what the destination has of it stays" };
  const why = `gone from qBittorrent: what the destination has of it is deleted ${goneForMs / 1000} s after that`;
  return dryRun ? { plan: "leave", why: `dry run: ${why}` } : { plan: "drop", why };
}

function stageOf(tracked: TrackedTorrent, context: Context): string {
  const action = nextAction(tracked, context);
  if (action === "describe") return "its .torrent and its files are going to be read";
  if (action === "open") return "it is going to be opened at the destination";
  if (action === "finalize") return "all of it is there: the destination finishes it";
  const { progress } = tracked;
  if (progress === undefined) return "it is being looked at";
  if (progress.isDelivered) return "all that qBittorrent has is there; the rest is still being downloaded";
  return `${progress.neededCount} of ${progress.pieceCount} pieces are missing there, and ${progress.readyCount} of them can be sent now`;
}
