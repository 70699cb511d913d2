import { readLayout } from "@qbit-sidecars/qbsync-protocol";
import { pathsOf } from "./describe-torrent.ts";
import { PieceLog } from "./piece-log.ts";
import { StoredTorrent, type StoredTorrentParts } from "./stored-torrent.ts";
import { TorrentFiles, type TorrentFilesOptions } from "./torrent-files.ts";
import type { TorrentFolders } from "./torrent-folders.ts";
import { verifyPieces } from "./verify-pieces.ts";

export type RestoreOptions = Pick<StoredTorrentParts, "events" | "commit"> &
  Pick<TorrentFilesOptions, "data" | "handles" | "fragmentsAt"> & {
    folders: TorrentFolders;
    onHashed: (bytes: number) => void;
  };

/**
 * A torrent from its folder, with what its log says; what was written since the last sync is hashed.
 *
 * @returns with it the files that are not as the log has them
 */
export async function restoreTorrent(
  id: string,
  { folders, data, handles, fragmentsAt, events, commit, onHashed }: RestoreOptions,
): Promise<{ torrent: StoredTorrent; gone: number[] }> {
  const description = await folders.readDescription(id);
  const layout = readLayout(description.torrent);
  if (layout.torrentId !== id) throw new Error(`the stored .torrent is that of ${layout.torrentId}`);
  const { log, entries } = await PieceLog.open(folders.logPath(id), id);
  try {
    const paths = pathsOf(description, layout, data);
    const files = new TorrentFiles({ torrentId: id, layout, paths, data, handles, log, fragmentsAt });
    const torrent = new StoredTorrent({ description, layout, files, log, events, commit });
    const { tail, gone } = await torrent.restore(entries);
    const { right, hashedBytes } = await verifyPieces(torrent, tail);
    if (tail.size > 0) onHashed(hashedBytes);
    for (const piece of right) await torrent.pieceWritten(piece, () => {});
    await torrent.flush();
    return { torrent, gone };
  } catch (error) {
    await log[Symbol.asyncDispose]();
    throw error;
  }
}
