import { MaindataStore, type Preferences, type QbitClient } from "@qbit-sidecars/qbit-client";
import type { Source } from "./carry-torrent.ts";
import type { Config } from "./config.ts";
import { foldersOf, type Mounts, toLocal } from "./data-folders.ts";
import { describeTorrent } from "./describe-torrent.ts";
import type { Watched } from "./follow-qbittorrent.ts";
import { markTags } from "./qbittorrent-hand-off.ts";

/** Told of each request, by what it asks for. */
type Count = (operation: string) => void;

/** qBittorrent as `QbittorrentFollower` needs it. */
export function watch(client: QbitClient, count: Count): Watched {
  const store = new MaindataStore(client.sync);
  return {
    get nextPollMs() {
      return store.nextPollMs;
    },
    poll(options) {
      count("maindata");
      return store.poll(options);
    },
    pieceStates(id, signal) {
      count("pieceStates");
      return client.torrents.pieceStates(id, { signal });
    },
  };
}

/** qBittorrent as `TorrentSync` needs it. */
export function sourceOf(client: QbitClient, config: Config, count: Count): Source {
  const ownTags = [
    config.syncedTag,
    config.syncFailedTag,
    config.excludeSyncTag,
    config.excludeCleanupTag,
    ...Object.values(markTags),
  ];
  return {
    async describe({ id, torrent }, signal) {
      for (const operation of ["preferences", "files", "export"]) count(operation);
      const [preferences, files, exported] = await Promise.all([
        client.app.preferences({ signal }),
        client.torrents.files(id, { signal }),
        client.torrents.export(id, { signal }),
      ]);
      const mounts = mountsOf(preferences, config);
      const { savePath } = mounts;
      const described = describeTorrent({ torrent, files, exported, savePath, ownTags });
      const folders = foldersOf(torrent, described.names).map((folder) => toLocal(folder, mounts));
      return { described, folders: [...new Set(folders)] };
    },
    async addTag(id, tag, signal) {
      count("addTags");
      await client.torrents.addTags([id], [tag], { signal });
    },
    async removeTag(id, tag, signal) {
      count("removeTags");
      await client.torrents.removeTags([id], [tag], { signal });
    },
  };
}

/** What qBittorrent's folders are here. */
export function mountsOf(preferences: Preferences, config: Config): Mounts {
  return {
    savePath: config.savePath ?? textOf(preferences["save_path"]),
    data: config.data,
    tempPath: preferences["temp_path_enabled"] === true ? textOf(preferences["temp_path"]) : undefined,
    tempData: config.tempPath,
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
