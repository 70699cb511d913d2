import * as z from "zod/mini";
import type { Caller, CallOptions } from "./call.ts";
import type { Maindata } from "./maindata.ts";
import { torrentId } from "./hashes.ts";
import type { TorrentPeer } from "./torrent-parts.ts";
import { bulkMaxBytes } from "./torrents-read.ts";

/** `client.sync`: what has changed since the last answer. */
export class SyncApi {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /**
   * Everything for `rid` 0, else what has changed since the answer with that `rid`. qBittorrent remembers only
   * the last answers of each session: let one `MaindataStore` per client do this.
   */
  async maindata(rid: number, options: CallOptions = {}): Promise<Maindata> {
    const answer = await this.#caller.call("sync/maindata", {
      maxBytes: bulkMaxBytes,
      ...options,
      params: { rid },
    });
    const data = answer.unchecked();
    if (!isMaindata(data)) throw answer.unusable("not an answer of sync/maindata");
    return data;
  }

  /** Which session the last answer belongs to; a `rid` means nothing to another session. */
  get session(): number {
    return this.#caller.sessionNumber;
  }

  /** Peers of a torrent by `address:port`. */
  async torrentPeers(hash: string, options: CallOptions = {}): Promise<Record<string, TorrentPeer>> {
    const params = { hash: torrentId(hash), rid: 0 };
    const answer = await this.#caller.call("sync/torrentPeers", { ...options, params });
    const peer = z.looseObject({
      ip: z.optional(z.string()),
      port: z.optional(z.number()),
      client: z.optional(z.string()),
      progress: z.optional(z.number()),
    });
    return answer.json(z.looseObject({ peers: z._default(z.record(z.string(), peer), {}) })).peers;
  }
}

/** Checked in place, and only as deep as merging needs: the answer may hold 50,000 torrents. */
function isMaindata(data: unknown): data is Maindata {
  if (!isRecord(data) || typeof data.rid !== "number") return false;
  const { torrents = {}, categories = {}, trackers = {}, server_state = {} } = data;
  return (
    [torrents, categories, trackers, server_state].every(isRecord) &&
    isRecord(torrents) &&
    Object.values(torrents).every(isRecord)
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
