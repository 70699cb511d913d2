import { lstat } from "node:fs/promises";
import { Refusal_Reason, type TorrentDescription } from "@qbit-sidecars/qbsync-protocol";
import type { DataFolder } from "./data-folder.ts";
import { layoutOf, pathsOf } from "./describe-torrent.ts";
import { unlessMissing } from "./error-code.ts";
import { RefusedError } from "./refused.ts";
import { bytesOf, wantedPieces } from "./wanted-pieces.ts";

/**
 * A dry run: what would be done with a torrent, in a sentence. Nothing is written, and the torrent is refused, so that
 * no source takes it for synced.
 *
 * @throws RefusedError always
 */
export async function refuseDryly(description: TorrentDescription, data: DataFolder): Promise<never> {
  if (description.torrent.length === 0)
    throw new RefusedError("the .torrent is needed", Refusal_Reason.TORRENT_NEEDED);
  const layout = layoutOf(description);
  const paths = pathsOf(description, layout, data);
  const wanted = wantedPieces(layout, new Set(description.unselectedFiles));
  let there = 0;
  for (const { index, size } of layout.files) {
    const found = await unlessMissing(lstat(paths[index] ?? ""));
    if (found?.isFile() === true && found.size === size) there += 1;
  }
  throw new RefusedError(
    `dry run: would receive up to ${bytesOf(layout, wanted)} bytes in ${wanted.size} pieces of ${layout.name}, ` +
      `${layout.files.length - description.unselectedFiles.length} of ${layout.files.length} files, ` +
      `into ${data.path}/${description.savePath}; ${there} files of the right size are there and would be hashed first`,
    Refusal_Reason.DRY_RUN,
  );
}
