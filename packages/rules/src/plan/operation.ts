import type { FilePriority, ShareLimits } from "@qbit-sidecars/qbit-client";

/**
 * Whether data is deleted with a torrent: no; yes, unless another torrent is known to use it (`true`); only where it
 * is known that none does; or whoever uses it.
 */
export type DeleteFiles = boolean | "if_unshared" | "always";

/** What is to be done to a torrent. Equal operations on many torrents become one request. */
export type Operation =
  | { readonly kind: "stop" | "start" | "recheck" | "reannounce" }
  | { readonly kind: "forceStart" | "superSeeding" | "autoManagement"; readonly enabled: boolean }
  | { readonly kind: "toggleSequential" | "toggleFirstLast" }
  | { readonly kind: "delete"; readonly deleteFiles: DeleteFiles }
  | { readonly kind: "setCategory"; readonly category: string; readonly create: boolean }
  | { readonly kind: "addTags" | "removeTags" | "setTags"; readonly tags: readonly string[] }
  | { readonly kind: "uploadLimit" | "downloadLimit"; readonly bytesPerSecond: number }
  | { readonly kind: "shareLimits"; readonly limits: ShareLimits }
  | { readonly kind: "priority"; readonly move: "up" | "down" | "top" | "bottom" }
  | { readonly kind: "setLocation"; readonly path: string }
  | { readonly kind: "rename"; readonly name: string }
  | { readonly kind: "addTrackers" | "removeTrackers"; readonly urls: readonly string[] }
  | { readonly kind: "filePriority"; readonly indexes: readonly number[]; readonly priority: FilePriority }
  | { readonly kind: "export"; readonly folder: string }
  | { readonly kind: "notify"; readonly message: Notification }
  | { readonly kind: "webhook"; readonly url: string; readonly body: unknown }
  | { readonly kind: "arrBlocklist"; readonly request: BlocklistRequest };

export type Notification = {
  readonly service: "discord" | "slack" | "ntfy" | "generic";
  /** Undefined: the one the program is configured with. */
  readonly url: string | undefined;
  readonly text: string;
  /** Of `generic`, instead of `{ message }`. */
  readonly body: unknown;
};

export type BlocklistRequest = {
  readonly service: "sonarr" | "radarr";
  readonly url: string | undefined;
  readonly apiKey: string | undefined;
  readonly removeFromClient: boolean;
  readonly search: boolean;
};

/** Whether it ends a torrent: by qBittorrent, or by Sonarr or Radarr, who take its data as well. */
export function isRemoval(operation: Operation): boolean {
  return (
    operation.kind === "delete" || (operation.kind === "arrBlocklist" && operation.request.removeFromClient)
  );
}
