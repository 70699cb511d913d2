import type { QbitClient } from "@qbit-sidecars/qbit-client";
import { messageWithCauses } from "@qbit-sidecars/service";
import { stat } from "node:fs/promises";
import { join, posix } from "node:path";
import { unlessMissing } from "./error-code.ts";

/** Where qBittorrent's files are looked at. */
export type SeenFolders = {
  /** The data directory as qBittorrent sees it. */
  savePath: string;
  /** The same directory on this side. */
  dataPath: string;
};

/**
 * Why the files that qBittorrent has selected are not all on the disk, whole; undefined when they are. qBittorrent does
 * not tell: data that was deleted by hand is at 100 % and seeds, until a peer asks for a piece of it.
 *
 * @throws QbitError
 */
export async function whyNotOnDisk(
  client: Pick<QbitClient["torrents"], "info" | "files">,
  id: string,
  { folders, signal }: { folders: SeenFolders; signal: AbortSignal },
): Promise<string | undefined> {
  const [torrent] = await client.info({ hashes: [id] }, { signal });
  if (torrent === undefined) return undefined;
  const below = posix.relative(folders.savePath, torrent.save_path);
  if (below === ".." || below.startsWith("../"))
    return `its files are in ${torrent.save_path}, which is not below ${folders.savePath}: whether they are there is not seen`;
  for (const { name, priority, size } of await client.files(id, { signal })) {
    if (priority === 0) continue;
    const path = join(folders.dataPath, below, name);
    const found = await unlessMissing(stat(path)).catch((error: unknown) => messageWithCauses(error));
    if (typeof found === "string") return `${path} cannot be looked at: ${found}`;
    if (found?.isFile() !== true) return `${path} is not there any more`;
    if (found.size !== size) return `${path} has ${found.size} bytes instead of ${size}`;
  }
  return undefined;
}
