import { tagsOf, type Torrent } from "@qbit-sidecars/qbit-client";

/** What is told of a torrent. */
export type Download = {
  /** The torrent's id. */
  id: string;
  name: string;
  category: string;
  tags: readonly string[];
  /** Wanted bytes; -1 without metadata. */
  sizeBytes: number;
  /** 0 to 100, cut and not rounded. */
  percent: number;
  speedBytes: number;
  /** qBittorrent's own: 8640000 is ∞. */
  etaSeconds: number;
  state: string;
  path: string;
};

export function downloadOf(torrent: Torrent): Download {
  return {
    id: torrent.hash,
    name: oneLine(torrent.name),
    category: torrent.category,
    tags: tagsOf(torrent),
    sizeBytes: torrent.size,
    percent: Math.trunc(torrent.progress * 100),
    speedBytes: torrent.dlspeed,
    etaSeconds: torrent.eta,
    state: torrent.state,
    path: torrent.content_path ?? torrent.save_path,
  };
}

/** A name may hold line breaks and control characters; on a phone it is one line. */
function oneLine(name: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return name.replaceAll(/[\u0000-\u001f\u007f]+/g, " ").trim() || "a torrent without a name";
}
