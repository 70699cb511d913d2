import type { Torrent } from "@qbit-sidecars/qbit-client";

const texts = ["name", "category", "tags", "save_path"] as const;

/**
 * The torrent with the texts that everything here relies on. Programs that play qBittorrent leave out what they have no
 * use for, or say null; the real one never does, and its torrents are returned as they are.
 */
export function soundTorrent(torrent: Torrent): Torrent {
  const { content_path: path } = torrent;
  const isPlaced = path === undefined || typeof path === "string";
  if (isPlaced && texts.every((key) => typeof torrent[key] === "string")) return torrent;
  const sound: Torrent = { ...torrent };
  for (const key of texts) if (typeof sound[key] !== "string") sound[key] = "";
  if (!isPlaced) delete sound.content_path;
  return sound;
}
