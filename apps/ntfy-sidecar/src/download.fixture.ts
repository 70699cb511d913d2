import type { Torrent } from "@qbit-sidecars/qbit-client";
import { defaultTexts, type NoticePolicy } from "./plan-notices.ts";

/** A torrent as qBittorrent shows it, with the fields that are looked at. */
export function torrent(fields: Partial<Torrent>): Torrent {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the other fields are not looked at
  return {
    hash: "a".repeat(40),
    name: "Debian",
    category: "",
    tags: "",
    size: 100,
    dlspeed: 0,
    eta: 0,
    save_path: "/",
    state: "downloading",
    progress: 0,
    amount_left: 100,
    downloaded: 0,
    completion_on: -1,
    ...fields,
  } as Torrent;
}

/** Everything is told, to everybody, at any hour. */
export const tellAll: NoticePolicy = {
  topic: "downloads",
  routes: [],
  instance: "",
  tell: { complete: true, added: true, stalled: true, error: true, removed: true },
  priorities: { progress: 2, complete: 4, alert: 4, info: 2 },
  quietHours: undefined,
  categories: [],
  categoriesExcluded: [],
  tags: [],
  tagsExcluded: [],
  texts: defaultTexts,
  click: undefined,
  burstLimit: 5,
};
