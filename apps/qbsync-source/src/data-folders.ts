import { posix } from "node:path";

/** Folders as qBittorrent calls them, and what they are for this program. */
export type Mounts = {
  /** qBittorrent's default save path, or what `--save-path` says, in its words. */
  savePath: string;
  /** The same folder here: `--data`. */
  data: string;
  /** Where qBittorrent keeps incomplete torrents, in its words; undefined when they stay in the save path. */
  tempPath: string | undefined;
  /** The same folder here: `--temp-path`. */
  tempData: string | undefined;
};

/** The part of a torrent of maindata that says where its data is. */
export type Located = {
  save_path: string;
  content_path?: string | undefined;
  download_path?: unknown;
};

/**
 * Where a torrent's files are, in qBittorrent's words and likeliest first. `content_path` is what holds now (a torrent
 * moves from the temp path to its save path when it is complete); the others hold a moment before or after.
 *
 * @param names of the files, below the folder that is looked for
 */
export function foldersOf(torrent: Located, names: readonly string[]): string[] {
  const { save_path, content_path = "", download_path } = torrent;
  const folders = [folderOfContent(content_path, names), save_path];
  if (typeof download_path === "string") folders.push(download_path);
  const there = folders.filter((folder) => folder !== undefined && folder !== "");
  return [...new Set(there.map((folder) => withoutSlash(folder ?? "")))];
}

/** A folder of qBittorrent's as this program sees it. What is mounted elsewhere is looked for at the same distance. */
export function toLocal(folder: string, { savePath, data, tempPath, tempData }: Mounts): string {
  if (tempPath !== undefined && tempData !== undefined) {
    const below = belowOf(folder, tempPath);
    if (below !== undefined) return posix.join(tempData, below);
  }
  return posix.join(data, posix.relative(savePath, folder));
}

/** A folder below the default save path; "" where it is that path, or anywhere else. */
export function belowSavePath(folder: string, savePath: string): string {
  return belowOf(folder, savePath) ?? "";
}

/** `content_path` is the only file, the folder that all files are in, or (without such a folder) where they begin. */
function folderOfContent(contentPath: string, names: readonly string[]): string | undefined {
  if (contentPath === "") return undefined;
  const [only] = names;
  if (names.length === 1 && only !== undefined)
    return contentPath.endsWith(`/${only}`) ? contentPath.slice(0, -only.length - 1) || "/" : undefined;
  const root = only?.slice(0, only.indexOf("/") + 1) ?? "";
  const haveRoot = root !== "" && names.every((name) => name.startsWith(root));
  return haveRoot ? posix.dirname(contentPath) : contentPath;
}

function belowOf(folder: string, parent: string): string | undefined {
  const below = posix.relative(parent, folder);
  return below === ".." || below.startsWith("../") || posix.isAbsolute(below) ? undefined : below;
}

function withoutSlash(folder: string): string {
  return folder.length > 1 && folder.endsWith("/") ? folder.slice(0, -1) : folder;
}
