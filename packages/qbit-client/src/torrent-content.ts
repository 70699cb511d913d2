import type { CallOptions } from "./call.ts";
import { QbitNotFoundError, QbitUnsupportedError } from "./errors.ts";
import { torrentId } from "./hashes.ts";
import type { FilePriority } from "./torrent-parts.ts";
import { TorrentsChange } from "./torrents-change.ts";

/**
 * What can be changed inside one torrent: name, files, trackers, web seeds. An unknown hash is a QbitNotFoundError
 * (but 5.2 ignores it where it takes lists: `addTrackers` and `removeTrackers`).
 */
export class TorrentContent extends TorrentsChange {
  async rename(hash: string, name: string, options: CallOptions = {}): Promise<void> {
    await this.caller.call("torrents/rename", { ...options, params: { hash: torrentId(hash), name } });
  }

  /**
   * Paths below the save path. Before 4.3.4 a file can only be renamed within its folder. A path that is not
   * there, or taken, is a QbitConflictError.
   */
  async renameFile(
    hash: string,
    paths: { oldPath: string; newPath: string },
    options: CallOptions = {},
  ): Promise<void> {
    const capabilities = await this.caller.capabilities(options);
    const params = capabilities.atLeast("2.8.1") ? paths : await this.#renameById(hash, paths, options);
    await this.caller.call("torrents/renameFile", {
      ...options,
      params: { hash: torrentId(hash), ...params },
    });
  }

  /** 4.3.5+. */
  async renameFolder(
    hash: string,
    paths: { oldPath: string; newPath: string },
    options: CallOptions = {},
  ): Promise<void> {
    await this.caller.call("torrents/renameFolder", {
      ...options,
      params: { hash: torrentId(hash), ...paths },
    });
  }

  /**
   * Files by their index. A QbitConflictError without metadata. 4.2 applies it late: a second change for the same
   * torrent should wait until `files` shows the first.
   */
  async setFilePriority(
    hash: string,
    files: { indexes: readonly number[]; priority: FilePriority },
    options: CallOptions = {},
  ): Promise<void> {
    const { indexes, priority } = files;
    if (indexes.length === 0) return;
    const params = { hash: torrentId(hash), id: indexes.join("|"), priority };
    await this.caller.call("torrents/filePrio", { ...options, params });
  }

  /** Trackers that are there already are left alone. */
  async addTrackers(hash: string, urls: readonly string[], options: CallOptions = {}): Promise<void> {
    if (urls.length === 0) return;
    await this.caller.call("torrents/addTrackers", {
      ...options,
      params: { hash: torrentId(hash), urls: urls.join("\n") },
    });
  }

  /** A tracker that is not there is a QbitConflictError. */
  async editTracker(
    hash: string,
    change: { url: string; newUrl: string },
    options: CallOptions = {},
  ): Promise<void> {
    await this.caller.call("torrents/editTracker", {
      ...options,
      params: { hash: torrentId(hash), ...change },
    });
  }

  async removeTrackers(hash: string, urls: readonly string[], options: CallOptions = {}): Promise<void> {
    if (urls.length === 0) return;
    const params = { hash: torrentId(hash), urls: urls.join("|") };
    await this.caller.call("torrents/removeTrackers", { ...options, params });
  }

  /** 5.1+. */
  async addWebSeeds(hash: string, urls: readonly string[], options: CallOptions = {}): Promise<void> {
    if (urls.length === 0) return;
    const params = { hash: torrentId(hash), urls: urls.map(encodeURIComponent).join("|") };
    await this.caller.call("torrents/addWebSeeds", { ...options, params });
  }

  /** 5.1+. A web seed that is not there is a QbitConflictError. */
  async editWebSeed(
    hash: string,
    change: { url: string; newUrl: string },
    options: CallOptions = {},
  ): Promise<void> {
    const params = { hash: torrentId(hash), origUrl: change.url, newUrl: change.newUrl };
    await this.caller.call("torrents/editWebSeed", { ...options, params });
  }

  /** 5.1+. */
  async removeWebSeeds(hash: string, urls: readonly string[], options: CallOptions = {}): Promise<void> {
    if (urls.length === 0) return;
    const params = { hash: torrentId(hash), urls: urls.map(encodeURIComponent).join("|") };
    await this.caller.call("torrents/removeWebSeeds", { ...options, params });
  }

  async #renameById(
    hash: string,
    paths: { oldPath: string; newPath: string },
    options: CallOptions,
  ): Promise<{ id: number; name: string }> {
    const [oldFolder] = split(paths.oldPath);
    const [newFolder, name] = split(paths.newPath);
    if (oldFolder !== newFolder)
      throw new QbitUnsupportedError("renaming a file into another folder needs qBittorrent 4.3.4");
    const file = (await this.files(hash, options)).find((candidate) => candidate.name === paths.oldPath);
    if (file !== undefined) return { id: file.index, name };
    throw new QbitNotFoundError(`renaming a file: there is no file ${paths.oldPath}`, {
      status: 404,
      excerpt: "",
    });
  }
}

function split(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf("/");
  return [path.slice(0, slash + 1), path.slice(slash + 1)];
}
