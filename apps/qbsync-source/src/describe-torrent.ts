import { tagsOf, type Torrent, type TorrentFile } from "@qbit-sidecars/qbit-client";
import { TorrentDescription } from "@qbit-sidecars/qbsync-protocol";
import { LayoutError, readLayout, type TorrentLayout } from "@qbit-sidecars/qbsync-protocol/layout";
import { createHash } from "node:crypto";
import { belowSavePath } from "./data-folders.ts";

/** What the destination is told about a torrent, and what is needed to read it here. */
export type Described = {
  layout: TorrentLayout;
  /** Each file's path below its folder, as qBittorrent calls it. */
  names: readonly string[];
  /** Without `torrent`. */
  description: TorrentDescription;
  /** SHA-256 of that, by which both sides know whether they mean the same. */
  digest: Buffer;
  /** The exported .torrent. */
  torrent: Buffer;
};

type Facts = {
  torrent: Torrent;
  files: readonly TorrentFile[];
  exported: Buffer;
  /** qBittorrent's default save path. */
  savePath: string;
  /** Tags that are ours and mean nothing at the destination. */
  ownTags: readonly string[];
};

/** @throws LayoutError when the exported file and what qBittorrent lists are not the same torrent */
export function describeTorrent({ torrent, files, exported, savePath, ownTags }: Facts): Described {
  const layout = readLayout(exported);
  const byIndex = files.toSorted((a, b) => a.index - b.index);
  const isSame =
    layout.torrentId === torrent.hash &&
    byIndex.length === layout.files.length &&
    layout.files.every(({ index, size }) => byIndex[index]?.size === size);
  if (!isSame) throw new LayoutError("qBittorrent lists other files than its exported torrent has");
  const names = byIndex.map(({ name }) => name);
  const description = TorrentDescription.fromPartial({
    torrentId: torrent.hash,
    unselectedFiles: byIndex.filter(({ priority }) => priority === 0).map(({ index }) => index),
    renamedFiles: layout.files
      .filter(({ index, path }) => names[index] !== path)
      .map(({ index }) => ({ file: index, path: names[index] ?? "" })),
    savePath: belowSavePath(torrent.save_path, savePath),
    category: torrent.category,
    tags: tagsOf(torrent).filter((tag) => !ownTags.includes(tag)),
    name: torrent.name,
  });
  const digest = createHash("sha256").update(TorrentDescription.encode(description).finish()).digest();
  return { layout, names, description, digest, torrent: exported };
}

/** First and last piece of each file that is selected and holds anything. */
export function selectedPieces({ layout, description }: Described): (readonly [number, number])[] {
  const unselected = new Set(description.unselectedFiles);
  return layout.files
    .filter(({ index, size }) => size > 0 && !unselected.has(index))
    .map(({ firstPiece, endPiece }) => [firstPiece, endPiece - 1]);
}

/** Whether the destination has to be told. Of one that is finished there, only another selection makes a difference. */
export function isAnother(before: Described, after: Described, isFinished: boolean): boolean {
  if (!isFinished) return !before.digest.equals(after.digest);
  return before.description.unselectedFiles.join() !== after.description.unselectedFiles.join();
}
