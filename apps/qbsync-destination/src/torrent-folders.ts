import { mkdir, open, readdir, readFile, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { TorrentDescription } from "@qbit-sidecars/qbsync-protocol";
import { writeFileAtomic } from "@qbit-sidecars/service";
import type { DataFolder } from "./data-folder.ts";
import { encodeWithoutTorrent } from "./describe-torrent.ts";
import { errorCode, unlessMissing } from "./error-code.ts";
import { handOffFile } from "./hand-off-files.ts";
import { noteFormat } from "./state-format.ts";
import { syncFolder } from "./sync-folder.ts";
import { ownerFile } from "./torrent-owners.ts";

/** How a torrent's folder may be called; nothing else becomes part of a path. */
export const idPattern = /^[0-9a-f]{40}$/;

const ownFiles = ["pieces.log", "description", "torrent", ownerFile, handOffFile];

/** The folders in `.qbsync`, one for each torrent: its `.torrent`, what the source said of it, the log of its pieces. */
export class TorrentFolders {
  readonly #data: Pick<DataFolder, "path" | "stateDir">;

  constructor(data: Pick<DataFolder, "path" | "stateDir">) {
    this.#data = data;
  }

  /** Torrents that have one. */
  async ids(): Promise<string[]> {
    const names = (await unlessMissing(readdir(this.#data.stateDir))) ?? [];
    return names.filter((name) => idPattern.test(name));
  }

  /** Resolves when all of it is on the disk, which is before the first piece is. */
  async make(description: TorrentDescription): Promise<void> {
    const folder = this.#folder(description.torrentId);
    await mkdirUnlessThere(this.#data.stateDir);
    await noteFormat(this.#data.stateDir);
    await mkdirUnlessThere(folder);
    await writeFileAtomic(join(folder, "torrent"), description.torrent);
    await (await open(this.logPath(description.torrentId), "a", 0o600)).close();
    await this.saveDescription(description);
    await syncFolder(this.#data.stateDir);
    await syncFolder(this.#data.path);
  }

  async saveDescription(description: TorrentDescription): Promise<void> {
    const path = join(this.#folder(description.torrentId), "description");
    await writeFileAtomic(path, encodeWithoutTorrent(description));
  }

  /** With its `.torrent`. */
  async readDescription(id: string): Promise<TorrentDescription> {
    const folder = this.#folder(id);
    const [torrent, said] = await Promise.all([
      readFile(join(folder, "torrent")),
      readFile(join(folder, "description")),
    ]);
    return { ...TorrentDescription.decode(said), torrent };
  }

  logPath(id: string): string {
    return join(this.#folder(id), "pieces.log");
  }

  async remove(id: string): Promise<void> {
    for (const name of ownFiles) await unlessMissing(unlink(join(this.#folder(id), name)));
    await rmdir(this.#folder(id));
  }

  #folder(id: string): string {
    return join(this.#data.stateDir, id);
  }
}

/** Not `recursive`: on a read-only disk that says ENOENT. */
async function mkdirUnlessThere(folder: string): Promise<void> {
  try {
    await mkdir(folder, 0o700);
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}
