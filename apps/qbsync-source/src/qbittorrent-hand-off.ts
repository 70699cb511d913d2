import { isComplete, type QbitClient, tagsOf, type Torrent } from "@qbit-sidecars/qbit-client";
import type { HereSide } from "./hand-off.ts";
import type { Here, Mark } from "./plan-hand-off.ts";

/**
 * The tags of a torrent that is being handed over. This program keeps nothing, so they are how it knows after a restart
 * that it was the one who stopped a torrent, and whether it ran before.
 */
export const markTags = { ran: "qbsync-handing-off", "was stopped": "qbsync-handing-off-stopped" } as const;

/** What a torrent's tags say of its hand-off. */
export function markOf(torrent: Pick<Torrent, "tags">): Mark {
  const tags = tagsOf(torrent);
  if (tags.includes(markTags.ran)) return "ran";
  return tags.includes(markTags["was stopped"]) ? "was stopped" : "none";
}

/** qBittorrent as `HandOff` needs it. */
export function hereSide(
  client: QbitClient,
  { excludeTag, count }: { excludeTag: string; count: (operation: string) => void },
): HereSide {
  return {
    async look(ids, signal) {
      count("info");
      const torrents = await client.torrents.info({ hashes: ids }, { signal });
      return new Map(torrents.map((torrent) => [torrent.hash, seen(torrent, excludeTag)]));
    },
    async mark(id, mark, signal) {
      count("addTags");
      await client.torrents.addTags([id], [markTags[mark]], { signal });
    },
    async unmark(id, signal) {
      count("removeTags");
      await client.torrents.removeTags([id], Object.values(markTags), { signal });
    },
    async stop(id, signal) {
      count("stop");
      await client.torrents.stop([id], { signal });
    },
    async start(id, signal) {
      count("start");
      await client.torrents.start([id], { signal });
    },
    async remove(ids, signal) {
      count("delete");
      await client.torrents.delete(ids, { deleteFiles: true }, { signal });
    },
  };
}

function seen(torrent: Torrent, excludeTag: string): Here & { kind: "present" } {
  const { state, progress } = torrent;
  return {
    kind: "present",
    activity: activityOf(state),
    isComplete: progress === 1 && isComplete(state),
    mark: markOf(torrent),
    isExcluded: excludeTag !== "" && tagsOf(torrent).includes(excludeTag),
  };
}

function activityOf(state: Torrent["state"]): "running" | "stopped" | "busy" {
  if (["checkingUP", "checkingDL", "checkingResumeData", "moving", "allocating"].includes(state))
    return "busy";
  // In error nothing is uploaded, and it does not run again by itself.
  return ["stoppedUP", "stoppedDL", "error", "missingFiles"].includes(state) ? "stopped" : "running";
}
