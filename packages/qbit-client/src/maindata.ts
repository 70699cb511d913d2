import type { Torrent } from "./torrent.ts";
import type { Category } from "./torrent-parts.ts";

/** One answer of `sync/maindata`: everything (`full_update`), or only what has changed, down to single fields. */
export interface Maindata {
  rid: number;
  full_update?: boolean;
  torrents?: Record<string, Partial<Torrent>>;
  torrents_removed?: string[];
  categories?: Record<string, Partial<Category>>;
  categories_removed?: string[];
  tags?: string[];
  tags_removed?: string[];
  /** Torrents by tracker URL; each list is whole. 4.4+. */
  trackers?: Record<string, string[]>;
  trackers_removed?: string[];
  server_state?: ServerState;
}

/** Fields by qBittorrent's names: speeds in bytes/s, data and space in bytes. */
export interface ServerState {
  [field: string]: unknown;
  connection_status?: string;
  dl_info_speed?: number;
  up_info_speed?: number;
  /** 0 in the first answer of a session, whatever the disk holds: see `MaindataStore.freeSpaceBytes`. */
  free_space_on_disk?: number;
  /** Milliseconds between qBittorrent's own refreshes; asking more often shows nothing new. */
  refresh_interval?: number;
}

/** Everything beside the torrents, as the answers add up to it. */
export class MaindataRest {
  readonly categories = new Map<string, Partial<Category>>();
  readonly tags = new Set<string>();
  readonly trackers = new Map<string, string[]>();
  serverState: ServerState = {};

  clear(): void {
    this.categories.clear();
    this.tags.clear();
    this.trackers.clear();
    this.serverState = {};
  }

  /** Removals come first: what is removed and there again in one answer is there. */
  merge(delta: Maindata): void {
    for (const name of delta.categories_removed ?? []) this.categories.delete(name);
    for (const tag of delta.tags_removed ?? []) this.tags.delete(tag);
    for (const url of delta.trackers_removed ?? []) this.trackers.delete(url);
    for (const [name, fields] of Object.entries(delta.categories ?? {})) {
      this.categories.set(name, { ...this.categories.get(name), ...fields });
    }
    for (const tag of delta.tags ?? []) this.tags.add(tag);
    for (const [url, ids] of Object.entries(delta.trackers ?? {})) this.trackers.set(url, ids);
    Object.assign(this.serverState, delta.server_state);
  }
}
