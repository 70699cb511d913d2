import { LayoutError } from "./layout-error.ts";
import type { TorrentLayout } from "./torrent-layout.ts";

/**
 * Reads where everything in a torrent lies from its `.torrent` file.
 *
 * @throws LayoutError and nothing else, whatever the bytes are
 */
export function readLayout(torrent: Uint8Array): TorrentLayout {
  throw new LayoutError(`not read yet: a torrent file of ${torrent.length} bytes`);
}
