import * as z from "zod/mini";
import { type Answer, wholeNumber } from "./answer.ts";
import type { Caller, CallOptions, Params } from "./call.ts";
import type { EndpointName } from "./endpoints.ts";
import { type Hashes, hashesParam, torrentId } from "./hashes.ts";
import { JsonItems } from "./json-items.ts";
import type { Torrent } from "./torrent.ts";
import { filterFor, type TorrentFilter } from "./torrent-filter.ts";
import type { Category, PieceState, TorrentFile, TorrentProperties } from "./torrent-parts.ts";
import { type TorrentState, torrentState } from "./torrent-state.ts";
import type { Tracker } from "./tracker.ts";

export interface TorrentsQuery {
  /** Only these. An empty list is answered with an empty list, without a request. */
  hashes?: Hashes;
  filter?: TorrentFilter;
  /** "" for torrents without one. */
  category?: string;
  /** 4.4+. "" for torrents without one. */
  tag?: string;
  /** 5.0.1+. */
  private?: boolean;
  /** A field's name. */
  sort?: string;
  reverse?: boolean;
  limit?: number;
  /** Negative counts from the end. */
  offset?: number;
  /** 5.1+. Each torrent carries its `trackers`. */
  includeTrackers?: boolean;
  /** 5.2+. Each torrent carries its `files`. */
  includeFiles?: boolean;
}

/** Bulk answers: 50,000 torrents are 73 MB. */
export const bulkMaxBytes = 512 * 1024 * 1024;

/** The reading half of `client.torrents`. A hash nobody knows is a QbitNotFoundError, except in lists. */
export class TorrentsRead {
  protected readonly caller: Caller;

  constructor(caller: Caller) {
    this.caller = caller;
  }

  /** Torrents; unknown hashes are left out. Fields and values as qBittorrent has them, see {@link Torrent}. */
  async info(query: TorrentsQuery = {}, options: CallOptions = {}): Promise<Torrent[]> {
    const call = await this.#list(query, options);
    if (call === undefined) return [];
    const { keep, ...list } = call;
    const torrents = torrentsOf(await this.caller.call("torrents/info", list));
    return keep === undefined ? torrents : torrents.filter(({ state }) => keep.includes(state));
  }

  /**
   * The same without ever holding the list: each torrent is given to what `begin` returned while the answer still
   * arrives. `begin` is called again when the answer breaks off and the request is repeated. Use nothing of it
   * before this resolves: only then was the list whole.
   */
  async eachInfo(
    query: TorrentsQuery,
    begin: () => (torrent: Torrent) => void,
    options: CallOptions = {},
  ): Promise<void> {
    const call = await this.#list(query, options);
    if (call === undefined) return;
    const { keep, ...list } = call;
    let items = new JsonItems(() => {});
    let isWrong = false;
    const take = () => {
      const each = begin();
      isWrong = false;
      items = new JsonItems((text) => {
        const torrent = torrentOf(text);
        if (torrent === undefined) isWrong = true;
        else if (keep === undefined || keep.includes(torrent.state)) each(torrent);
      });
      return (piece: Buffer) => items.push(piece);
    };
    const answer = await this.caller.call("torrents/info", { ...list, take });
    if (!items.isWhole || isWrong) throw answer.unusable("not a list of torrents");
  }

  /** How many torrents there are. Before 4.6.1 by listing them all. */
  async count(options: CallOptions = {}): Promise<number> {
    const capabilities = await this.caller.capabilities(options);
    if (!capabilities.supports("torrents/count")) return (await this.info({}, options)).length;
    const answer = await this.caller.call("torrents/count", options);
    return wholeNumber(answer);
  }

  async properties(hash: string, options: CallOptions = {}): Promise<TorrentProperties> {
    const answer = await this.#about("torrents/properties", hash, options);
    return answer.json(propertiesSchema());
  }

  /** Trackers, and before them qBittorrent's rows for DHT, PeX and LSD: see `isTracker`. */
  async trackers(hash: string, options: CallOptions = {}): Promise<Tracker[]> {
    const answer = await this.#about("torrents/trackers", hash, options);
    return answer
      .json(trackersSchema())
      .map((tracker) => ({ ...tracker, tier: tracker.tier === "" ? -1 : tracker.tier }));
  }

  /** URLs as qBittorrent shows them: `%20` decoded. */
  async webseeds(hash: string, options: CallOptions = {}): Promise<{ url: string }[]> {
    const answer = await this.#about("torrents/webseeds", hash, options);
    return answer.json(z.array(z.looseObject({ url: z.string() })));
  }

  /** Files, without BEP 47 padding; empty as long as a magnet link has no metadata. */
  async files(hash: string, options: CallOptions = {}): Promise<TorrentFile[]> {
    const answer = await this.#about("torrents/files", hash, options);
    return answer.json(filesSchema()).map((file, index) => ({ ...file, index: file.index ?? index }));
  }

  async pieceStates(hash: string, options: CallOptions = {}): Promise<PieceState[]> {
    const answer = await this.#about("torrents/pieceStates", hash, options);
    return answer.json(z.array(z.union([z.literal(0), z.literal(1), z.literal(2)])));
  }

  /** SHA-1 of each piece in hex. Meaningless for v2-only torrents: take the piece layers of {@link export}. */
  async pieceHashes(hash: string, options: CallOptions = {}): Promise<string[]> {
    const answer = await this.#about("torrents/pieceHashes", hash, options);
    return answer.json(z.array(z.string()));
  }

  /** 5.2+. Copies of each piece among the peers. */
  async pieceAvailability(hash: string, options: CallOptions = {}): Promise<number[]> {
    const answer = await this.#about("torrents/pieceAvailability", hash, options);
    return answer.json(z.array(z.number()));
  }

  /** 4.5+. The torrent file; a QbitConflictError while a magnet link has no metadata. */
  async export(hash: string, options: CallOptions = {}): Promise<Buffer> {
    const answer = await this.#about("torrents/export", hash, options);
    // "d": a bencoded dictionary. A proxy's page would be saved as a torrent otherwise.
    if (answer.bytes[0] !== 0x64) throw answer.unusable("not a torrent file");
    return answer.bytes;
  }

  /** Categories by name. */
  async categories(options: CallOptions = {}): Promise<Record<string, Category>> {
    const answer = await this.caller.call("torrents/categories", options);
    return answer.json(z.record(z.string(), z.looseObject({ name: z.string(), savePath: z.string() })));
  }

  async tags(options: CallOptions = {}): Promise<string[]> {
    const answer = await this.caller.call("torrents/tags", options);
    return answer.json(z.array(z.string()));
  }

  /** Bytes per second by hash; 0 or less: none. */
  async downloadLimits(
    hashes: readonly string[],
    options: CallOptions = {},
  ): Promise<Record<string, number>> {
    return await this.#limits("torrents/downloadLimit", hashes, options);
  }

  /** Bytes per second by hash; 0 or less: none. */
  async uploadLimits(hashes: readonly string[], options: CallOptions = {}): Promise<Record<string, number>> {
    return await this.#limits("torrents/uploadLimit", hashes, options);
  }

  /** The call for a list; undefined when nothing can be in it. */
  async #list(query: TorrentsQuery, options: CallOptions): Promise<ListCall | undefined> {
    const { hashes: wanted, filter = "all", ...rest } = query;
    const hashes = wanted === undefined || wanted === "all" ? undefined : hashesParam(wanted);
    if (wanted !== undefined && wanted !== "all" && hashes === undefined) return undefined;
    await this.#needForQuery(query, options);
    const { word, keep } =
      filter === "all"
        ? { word: filter, keep: undefined }
        : filterFor(filter, await this.caller.capabilities(options));
    return { maxBytes: bulkMaxBytes, ...options, params: { ...rest, hashes, filter: word }, keep };
  }

  async #limits(
    endpoint: EndpointName,
    hashes: readonly string[],
    options: CallOptions,
  ): Promise<Record<string, number>> {
    const param = hashesParam(hashes);
    if (param === undefined) return {};
    const answer = await this.caller.call(endpoint, { ...options, params: { hashes: param } });
    return answer.json(z.record(z.string(), z.number()));
  }

  async #about(endpoint: EndpointName, hash: string, options: CallOptions): Promise<Answer> {
    return await this.caller.call(endpoint, { ...options, params: { hash: torrentId(hash) } });
  }

  /** An older qBittorrent would ignore these and list too much or too little. */
  async #needForQuery(query: TorrentsQuery, options: CallOptions): Promise<void> {
    const needs = {
      tag: "2.8.4",
      private: "2.11.1",
      includeTrackers: "2.11.4",
      includeFiles: "2.11.8",
    } as const;
    for (const [parameter, webApi] of Object.entries(needs)) {
      if (parameter in query)
        await this.caller.need(webApi, `listing torrents with \`${parameter}\``, options);
    }
  }
}

type ListCall = CallOptions & {
  params: Params;
  /** States that an older qBittorrent cannot be asked for. */
  keep: readonly TorrentState[] | undefined;
};

function torrentOf(text: string): Torrent | undefined {
  let torrent: unknown;
  try {
    torrent = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isTorrent(torrent)) return undefined;
  torrent.state = torrentState(torrent.state);
  return torrent;
}

/** Checks a bulk list in place: a schema would copy every torrent. */
function torrentsOf(answer: Answer): Torrent[] {
  const list = answer.unchecked();
  if (!Array.isArray(list) || !list.every(isTorrent)) throw answer.unusable("not a list of torrents");
  for (const torrent of list) torrent.state = torrentState(torrent.state);
  return list;
}

function isTorrent(value: unknown): value is Torrent {
  return (
    typeof value === "object" &&
    value !== null &&
    "hash" in value &&
    typeof value.hash === "string" &&
    "state" in value &&
    typeof value.state === "string"
  );
}

const propertiesSchema = () =>
  z.looseObject({
    save_path: z.string(),
    comment: z.string(),
    piece_size: z.number(),
    pieces_num: z.number(),
    pieces_have: z.number(),
    total_size: z.number(),
    addition_date: z.number(),
    completion_date: z.number(),
    creation_date: z.number(),
    share_ratio: z.number(),
    seeding_time: z.number(),
    eta: z.number(),
  });

const trackersSchema = () =>
  z.array(
    z.looseObject({
      url: z.string(),
      status: z.number(),
      // "" on the DHT, PeX and LSD rows of older versions.
      tier: z.union([z.number(), z.literal("")]),
      num_peers: z.number(),
      num_seeds: z.number(),
      num_leeches: z.number(),
      num_downloaded: z.number(),
      msg: z.string(),
    }),
  );

const filesSchema = () =>
  z.array(
    z.looseObject({
      index: z.optional(z.number()),
      name: z.string(),
      size: z.number(),
      progress: z.number(),
      priority: z.number(),
    }),
  );
