import { type QbitClient, tagsOf } from "@qbit-sidecars/qbit-client";
import type { Seen } from "./plan-adding.ts";
import type { Seeder } from "./finalize.ts";
import type { TakenOverBy } from "./take-over.ts";

/** qBittorrent as it takes over what a source hands to it. */
export function qbittorrentTakingOver(client: QbitClient): TakenOverBy {
  return {
    async see(id, signal) {
      const [torrent] = await client.torrents.info({ hashes: [id] }, { signal });
      if (torrent === undefined) return undefined;
      const { name, state, progress } = torrent;
      return { name, state, progress, tags: tagsOf(torrent) };
    },
    start: (id, signal) => client.torrents.start([id], { signal }),
    stop: (id, signal) => client.torrents.stop([id], { signal }),
    addTags: (id, tags, signal) => client.torrents.addTags([id], tags, { signal }),
  };
}

/** qBittorrent as finished torrents are given to it. */
export function qbittorrentSeeder(client: QbitClient): Seeder {
  const look = async (id: string, signal: AbortSignal): Promise<Seen | undefined> => {
    const [torrent] = await client.torrents.info({ hashes: [id] }, { signal });
    if (torrent === undefined) return undefined;
    const files = await client.torrents.files(id, { signal });
    const { state, progress } = torrent;
    return {
      state,
      progress,
      tags: tagsOf(torrent),
      files: files
        .toSorted((a, b) => a.index - b.index)
        .map(({ name, priority }) => ({ path: name, isSelected: priority > 0 })),
    };
  };
  return {
    look,
    async add(torrent, { savePath, category, tags, skipChecking, contentLayout }, signal) {
      const hasDownloadPaths = (await client.capabilities({ signal })).atLeast("2.8.4");
      const { failed } = await client.torrents.add(
        {
          files: [torrent],
          savePath,
          // The files are at their place; a folder for incomplete torrents would hide them from the check.
          ...(hasDownloadPaths && { downloadPath: "" }),
          ...(category !== "" && { category }),
          ...(tags.length > 0 && { tags }),
          stopped: true,
          skipChecking,
          contentLayout,
          sequentialDownload: false,
        },
        { signal },
      );
      return failed[0]?.reason;
    },
    stop: (id, signal) => client.torrents.stop([id], { signal }),
    recheck: (id, signal) => client.torrents.recheck([id], { signal }),
    addTags: (id, tags, signal) => client.torrents.addTags([id], tags, { signal }),
    renameFile: (id, { from, to }, signal) =>
      client.torrents.renameFile(id, { oldPath: from, newPath: to }, { signal }),
    async select(id, { selected, unselected }, signal) {
      if (selected.length > 0)
        await client.torrents.setFilePriority(id, { indexes: selected, priority: 1 }, { signal });
      if (unselected.length > 0)
        await client.torrents.setFilePriority(id, { indexes: unselected, priority: 0 }, { signal });
    },
  };
}
