import {
  MaindataStore,
  QbitConflictError,
  type QbitClient,
  QbitNotFoundError,
  QbitResponseError,
  QbitUnsupportedError,
  type Torrent,
} from "@qbit-sidecars/qbit-client";
import type { PartName } from "../language/source.ts";
import type { Row } from "../plan/subject.ts";
import type { ListQuery, PartAnswer, RulesQbittorrent, TorrentOperation } from "./seams.ts";

const pollsForFreeSpace = 3;

/** The rules' view of qBittorrent, through its client. A store that is polled anyway saves a call for `disk.free`. */
export class ClientQbittorrent implements RulesQbittorrent {
  readonly #client: QbitClient;
  readonly #store: MaindataStore;

  constructor(client: QbitClient, store: MaindataStore = new MaindataStore(client.sync)) {
    this.#client = client;
    this.#store = store;
  }

  async webApi(signal?: AbortSignal): Promise<string> {
    return (await this.#client.capabilities({ signal })).webApi;
  }

  async each(query: ListQuery, begin: () => (torrent: Torrent) => void, signal?: AbortSignal): Promise<void> {
    await this.#client.torrents.eachInfo(query, begin, { signal });
  }

  async part(
    name: Exclude<PartName, "trackerUrls">,
    hash: string,
    signal?: AbortSignal,
  ): Promise<PartAnswer> {
    try {
      return await this.#part(name, hash, signal);
    } catch (error) {
      if (error instanceof QbitNotFoundError) return "gone";
      // An emulated qBittorrent may not have every endpoint; a torrent of it is not worth the whole run.
      if (error instanceof QbitResponseError || error instanceof QbitUnsupportedError)
        return { failed: error.message };
      throw error;
    }
  }

  async trackerUrls(signal?: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
    await this.#store.poll(signal === undefined ? {} : { signal });
    return this.#store.trackers;
  }

  async preferences(signal?: AbortSignal): Promise<Row> {
    return { ...(await this.#client.app.preferences({ signal })) };
  }

  async transfer(signal?: AbortSignal): Promise<Row> {
    return await this.#client.transfer.info({ signal });
  }

  async freeSpaceBytes(signal?: AbortSignal): Promise<number | null> {
    for (let poll = 0; poll < pollsForFreeSpace; poll += 1) {
      await this.#store.poll(signal === undefined ? {} : { signal });
      if (this.#store.freeSpaceBytes !== null) break;
      // qBittorrent looks at the disk after it was first asked.
      await this.#client.clock.sleep(200, signal);
    }
    return this.#store.freeSpaceBytes;
  }

  async torrentFile(hash: string, signal?: AbortSignal): Promise<Uint8Array> {
    return await this.#client.torrents.export(hash, { signal });
  }

  async write(operation: TorrentOperation, hashes: readonly string[], signal?: AbortSignal): Promise<void> {
    const { torrents } = this.#client;
    const call = { signal };
    switch (operation.kind) {
      case "stop":
        return await torrents.stop(hashes, call);
      case "start":
        return await torrents.start(hashes, call);
      case "recheck":
        return await torrents.recheck(hashes, call);
      case "reannounce":
        return await torrents.reannounce(hashes, call);
      case "forceStart":
        return await torrents.setForceStart(hashes, operation.enabled, call);
      case "superSeeding":
        return await torrents.setSuperSeeding(hashes, operation.enabled, call);
      case "autoManagement":
        return await torrents.setAutoManagement(hashes, operation.enabled, call);
      case "toggleSequential":
        return await torrents.toggleSequentialDownload(hashes, call);
      case "toggleFirstLast":
        return await torrents.toggleFirstLastPiecePrio(hashes, call);
      case "delete":
        // Undecided (`if_unshared`) means that nobody has proven the data to be unused.
        return await torrents.delete(
          hashes,
          { deleteFiles: operation.deleteFiles === true || operation.deleteFiles === "always" },
          call,
        );
      case "setCategory":
        return await this.#setCategory(operation, hashes, signal);
      case "addTags":
        return await torrents.addTags(hashes, operation.tags, call);
      case "removeTags":
        return await torrents.removeTags(hashes, operation.tags, call);
      case "setTags":
        return await (operation.tags.length === 0
          ? torrents.removeAllTags(hashes, call)
          : torrents.setTags(hashes, operation.tags, call));
      case "uploadLimit":
        return await torrents.setUploadLimit(hashes, operation.bytesPerSecond, call);
      case "downloadLimit":
        return await torrents.setDownloadLimit(hashes, operation.bytesPerSecond, call);
      case "shareLimits":
        return await torrents.setShareLimits(hashes, operation.limits, call);
      case "setLocation":
        return await torrents.setLocation(hashes, operation.path, call);
      case "priority":
        return await this.#move(operation.move, hashes, signal);
      case "rename":
      case "addTrackers":
      case "removeTrackers":
      case "filePriority":
        for (const hash of hashes) await this.#writeOne(operation, hash, signal);
    }
  }

  async #writeOne(
    operation: TorrentOperation & { kind: "rename" | "addTrackers" | "removeTrackers" | "filePriority" },
    hash: string,
    signal?: AbortSignal,
  ): Promise<void> {
    const { torrents } = this.#client;
    if (operation.kind === "rename") await torrents.rename(hash, operation.name, { signal });
    else if (operation.kind === "filePriority") await torrents.setFilePriority(hash, operation, { signal });
    else if (operation.kind === "addTrackers") await torrents.addTrackers(hash, operation.urls, { signal });
    else await torrents.removeTrackers(hash, operation.urls, { signal });
  }

  async #setCategory(
    { category, create }: TorrentOperation & { kind: "setCategory" },
    hashes: readonly string[],
    signal?: AbortSignal,
  ): Promise<void> {
    try {
      await this.#client.torrents.setCategory(hashes, category, { signal });
    } catch (error) {
      if (!create || !(error instanceof QbitConflictError)) throw error;
      await this.#client.torrents.createCategory({ name: category }, { signal });
      await this.#client.torrents.setCategory(hashes, category, { signal });
    }
  }

  async #move(
    move: "up" | "down" | "top" | "bottom",
    hashes: readonly string[],
    signal?: AbortSignal,
  ): Promise<void> {
    const { torrents } = this.#client;
    if (move === "up") await torrents.increasePriority(hashes, { signal });
    else if (move === "down") await torrents.decreasePriority(hashes, { signal });
    else if (move === "top") await torrents.topPriority(hashes, { signal });
    else await torrents.bottomPriority(hashes, { signal });
  }

  // oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive
  async #part(
    name: Exclude<PartName, "trackerUrls">,
    hash: string,
    signal?: AbortSignal,
  ): Promise<readonly Row[]> {
    const { torrents, sync } = this.#client;
    switch (name) {
      case "trackers":
        return await torrents.trackers(hash, { signal });
      case "files":
        return await torrents.files(hash, { signal });
      case "properties":
        return [await torrents.properties(hash, { signal })];
      case "webseeds":
        return await torrents.webseeds(hash, { signal });
      case "peers":
        return Object.entries(await sync.torrentPeers(hash, { signal })).map(([id, peer]) => ({
          ...peer,
          id,
        }));
    }
  }
}
