import { createHash } from "node:crypto";
import {
  LayoutError,
  readLayout,
  TorrentDescription,
  type TorrentLayout,
} from "@qbit-sidecars/qbsync-protocol";
import { type DataFolder, hasControlCharacter, partsOf } from "./data-folder.ts";
import { conflict, invalid } from "./refused.ts";

const limits = { tags: 100, labelBytes: 1000 };

/**
 * Reads and checks what a source says of a torrent. Everything that can be derived from the .torrent is.
 *
 * @throws RefusedError
 */
export function layoutOf(description: TorrentDescription): TorrentLayout {
  const layout = parse(description.torrent);
  if (layout.torrentId !== description.torrentId)
    throw invalid(`the .torrent is that of ${layout.torrentId}, not of ${description.torrentId}`);
  if (layout.files.some(({ isSymlink }) => isSymlink)) throw invalid("the torrent holds symbolic links");
  checkFiles(description.unselectedFiles, layout, "unselected");
  checkFiles(
    description.renamedFiles.map(({ file }) => file),
    layout,
    "renamed",
  );
  checkLabels(description);
  return layout;
}

/**
 * The absolute path of each file.
 *
 * @throws RefusedError when one of them leaves the data directory, or two are in each other's way
 */
export function pathsOf(description: TorrentDescription, layout: TorrentLayout, data: DataFolder): string[] {
  const folder = description.savePath === "" ? [] : partsOf(description.savePath, "the save path");
  const renamed = new Map(description.renamedFiles.map(({ file, path }) => [file, path]));
  const paths = layout.files.map(({ index, path }) =>
    data.resolve([...folder, ...partsOf(renamed.get(index) ?? path, `the path of file ${index}`)]),
  );
  refuseClashes(paths);
  return paths;
}

function parse(torrent: Uint8Array): TorrentLayout {
  try {
    return readLayout(torrent);
  } catch (error) {
    if (error instanceof LayoutError) throw Object.assign(invalid(error.message), { cause: error });
    throw error;
  }
}

function checkFiles(files: readonly number[], layout: TorrentLayout, which: string): void {
  for (const [at, file] of files.entries()) {
    if (file >= layout.files.length) throw invalid(`${which} file ${file} of ${layout.files.length}`);
    if (at > 0 && file <= (files[at - 1] ?? 0)) throw invalid(`${which} files are not in ascending order`);
  }
}

function checkLabels({ category, tags, name }: TorrentDescription): void {
  if (tags.length > limits.tags) throw invalid(`${tags.length} tags`);
  for (const label of [category, name, ...tags])
    if (Buffer.byteLength(label) > limits.labelBytes || hasControlCharacter(label))
      throw invalid("a category, tag or name that no qBittorrent would have");
}

function refuseClashes(paths: readonly string[]): void {
  const files = new Set(paths);
  if (files.size < paths.length) throw conflict("two files of the torrent have the same path");
  const folders = new Set<string>();
  for (const path of paths)
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (folders.has(folder)) break;
      if (files.has(folder)) throw conflict(`${folder} is a file and a folder of the torrent`);
      folders.add(folder);
    }
}

/** What tells two descriptions apart; the .torrent is the same anyway. */
export function digestOf(description: TorrentDescription): Uint8Array {
  return createHash("sha256").update(encodeWithoutTorrent(description)).digest();
}

/** What is kept of a description: its .torrent has a file of its own, and how urgently it was asked for passes. */
export function encodeWithoutTorrent(description: TorrentDescription): Uint8Array {
  const kept = { ...description, torrent: new Uint8Array(), againIfGone: false };
  return TorrentDescription.encode(kept).finish();
}
