import type { CallOptions, Params } from "./call.ts";
import type { EndpointName } from "./endpoints.ts";
import { type Hashes, hashesParam } from "./hashes.ts";
import type { ShareLimits } from "./torrent-parts.ts";
import { TorrentsRead } from "./torrents-read.ts";

/**
 * What can be done to many torrents at once. Hashes that qBittorrent does not know are ignored by it; an empty
 * list does nothing, without a request.
 */
export class TorrentsChange extends TorrentsRead {
  /** `start` of 5.x, `resume` before. Also ends a forced start. */
  async start(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/start", { hashes }, options);
  }

  /** `stop` of 5.x, `pause` before. */
  async stop(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/stop", { hashes }, options);
  }

  /** Runs torrents whatever the queue says; `false` lets the queue decide again. */
  async setForceStart(hashes: Hashes, value: boolean, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/setForceStart", { hashes, params: { value } }, options);
  }

  /** Removes torrents, and their files only when told so. */
  async delete(hashes: Hashes, files: { deleteFiles: boolean }, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/delete", { hashes, params: { deleteFiles: files.deleteFiles } }, options);
  }

  async recheck(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/recheck", { hashes }, options);
  }

  /** Tells the trackers and asks for peers again, now. */
  async reannounce(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/reannounce", { hashes }, options);
  }

  /** "" takes the category away. One that does not exist is a QbitConflictError. */
  async setCategory(hashes: Hashes, category: string, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/setCategory", { hashes, params: { category } }, options);
  }

  /** Tags that do not exist are created. */
  async addTags(hashes: Hashes, tags: readonly string[], options: CallOptions = {}): Promise<void> {
    if (tags.length === 0) return;
    await this.#change("torrents/addTags", { hashes, params: { tags: tagsParam(tags) } }, options);
  }

  async removeTags(hashes: Hashes, tags: readonly string[], options: CallOptions = {}): Promise<void> {
    // An empty list would remove all of them.
    if (tags.length === 0) return;
    await this.#change("torrents/removeTags", { hashes, params: { tags: tagsParam(tags) } }, options);
  }

  async removeAllTags(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/removeTags", { hashes, params: { tags: "" } }, options);
  }

  /** Exactly these tags. Before 5.1 by removing all and adding these, in two requests. */
  async setTags(hashes: Hashes, tags: readonly string[], options: CallOptions = {}): Promise<void> {
    const capabilities = await this.caller.capabilities(options);
    if (capabilities.supports("torrents/setTags")) {
      await this.#change("torrents/setTags", { hashes, params: { tags: tagsParam(tags) } }, options);
      return;
    }
    await this.removeAllTags(hashes, options);
    await this.addTags(hashes, tags, options);
  }

  /** Moves the data and switches automatic management off. A path that cannot be written is a QbitConflictError. */
  async setLocation(hashes: Hashes, location: string, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/setLocation", { hashes, params: { location } }, options);
  }

  /** 4.4+. Where complete data belongs. A QbitConflictError with automatic management. */
  async setSavePath(hashes: Hashes, path: string, options: CallOptions = {}): Promise<void> {
    const id = hashesParam(hashes);
    if (id !== undefined)
      await this.caller.call("torrents/setSavePath", { ...options, params: { id, path } });
  }

  /** 4.4+. Where incomplete data belongs; "" for the save path. */
  async setDownloadPath(hashes: Hashes, path: string, options: CallOptions = {}): Promise<void> {
    const id = hashesParam(hashes);
    if (id !== undefined)
      await this.caller.call("torrents/setDownloadPath", { ...options, params: { id, path } });
  }

  /** Whether category and preferences decide where the data is. */
  async setAutoManagement(hashes: Hashes, enable: boolean, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/setAutoManagement", { hashes, params: { enable } }, options);
  }

  /** Bytes per second; 0: no limit. */
  async setDownloadLimit(hashes: Hashes, limit: number, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/setDownloadLimit", { hashes, params: { limit } }, options);
  }

  /** Bytes per second; 0: no limit. */
  async setUploadLimit(hashes: Hashes, limit: number, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/setUploadLimit", { hashes, params: { limit } }, options);
  }

  /** Sets all limits at once: what is left out becomes `"global"`. */
  async setShareLimits(hashes: Hashes, limits: ShareLimits, options: CallOptions = {}): Promise<void> {
    await this.#needForLimits(limits, options);
    const params = {
      ratioLimit: limitParam(limits.ratio),
      seedingTimeLimit: limitParam(limits.seedingTimeMinutes),
      // Required from 4.6, 5.2 and 5.3, ignored before.
      inactiveSeedingTimeLimit: limitParam(limits.inactiveSeedingTimeMinutes),
      shareLimitAction: limits.action ?? "Default",
      shareLimitsMode: limits.mode ?? "Default",
    };
    await this.#change("torrents/setShareLimits", { hashes, params }, options);
  }

  async setSuperSeeding(hashes: Hashes, value: boolean, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/setSuperSeeding", { hashes, params: { value } }, options);
  }

  async toggleSequentialDownload(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/toggleSequentialDownload", { hashes }, options);
  }

  async toggleFirstLastPiecePrio(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/toggleFirstLastPiecePrio", { hashes }, options);
  }

  /** All four: a QbitConflictError when queueing is off. */
  async increasePriority(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/increasePrio", { hashes }, options);
  }

  async decreasePriority(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/decreasePrio", { hashes }, options);
  }

  async topPriority(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/topPrio", { hashes }, options);
  }

  async bottomPriority(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/bottomPrio", { hashes }, options);
  }

  /** Peers as `host:port`. When none of them is valid, a QbitBadRequestError. */
  async addPeers(hashes: Hashes, peers: readonly string[], options: CallOptions = {}): Promise<void> {
    if (peers.length === 0) return;
    await this.#change("torrents/addPeers", { hashes, params: { peers: peers.join("|") } }, options);
  }

  /** 5.2+. */
  async setComment(hashes: Hashes, comment: string, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/setComment", { hashes, params: { comment } }, options);
  }

  async #change(
    endpoint: EndpointName,
    change: { hashes: Hashes; params?: Params },
    options: CallOptions,
  ): Promise<void> {
    const hashes = hashesParam(change.hashes);
    if (hashes === undefined) return;
    await this.caller.call(endpoint, { ...options, params: { hashes, ...change.params } });
  }

  async #needForLimits(limits: ShareLimits, options: CallOptions): Promise<void> {
    const { inactiveSeedingTimeMinutes: inactive = "global", action = "Default", mode = "Default" } = limits;
    if (inactive !== "global") await this.caller.need("2.9.2", "limiting the inactive seeding time", options);
    if (action !== "Default")
      await this.caller.need("2.15.1", "choosing what happens at a share limit", options);
    if (mode !== "Default") await this.caller.need("2.16.0", "choosing how share limits combine", options);
  }
}

/** qBittorrent separates tags by commas, and offers no way to quote one. */
export function tagsParam(tags: readonly string[]): string {
  const bad = tags.find((tag) => tag.trim() === "" || tag.includes(","));
  if (bad !== undefined) throw new TypeError(`"${bad}" cannot be a tag: empty, or with a comma`);
  return tags.join(",");
}

function limitParam(limit: number | "global" | "unlimited" = "global"): number {
  if (limit === "global") return -2;
  return limit === "unlimited" ? -1 : limit;
}
