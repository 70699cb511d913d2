import type { Torrent } from "@qbit-sidecars/qbit-client";
import type { PartName } from "../language/source.ts";
import type { Operation } from "../plan/operation.ts";
import type { Change } from "../plan/change.ts";
import type { Row } from "../plan/subject.ts";

/** A part of one torrent; `gone`: there is no such torrent any more. */
export type PartAnswer = readonly Row[] | "gone" | { readonly failed: string };

export type ListQuery = {
  readonly hashes?: readonly string[];
  readonly includeTrackers?: boolean;
  readonly includeFiles?: boolean;
};

/** What goes to qBittorrent by hashes; the others are sent elsewhere. */
export type TorrentOperation = Exclude<Operation, { kind: "notify" | "webhook" | "arrBlocklist" | "export" }>;

/** What a run needs of qBittorrent. Rejections end the run, except those of `write` and `torrentFile`. */
export interface RulesQbittorrent {
  /** Version of the Web API. */
  webApi(signal?: AbortSignal): Promise<string>;
  /**
   * Gives each torrent of a list to what `begin` returned, while the list arrives. `begin` is called again when it
   * has to start anew; only when this resolves was the list whole.
   */
  each(query: ListQuery, begin: () => (torrent: Torrent) => void, signal?: AbortSignal): Promise<void>;
  part(name: Exclude<PartName, "trackerUrls">, hash: string, signal?: AbortSignal): Promise<PartAnswer>;
  /** Ids of torrents by tracker URL. Web API 2.8.4+. */
  trackerUrls(signal?: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>>;
  preferences(signal?: AbortSignal): Promise<Row>;
  transfer(signal?: AbortSignal): Promise<Row>;
  /** `null`: it does not know. */
  freeSpaceBytes(signal?: AbortSignal): Promise<number | null>;
  write(operation: TorrentOperation, hashes: readonly string[], signal?: AbortSignal): Promise<void>;
  torrentFile(hash: string, signal?: AbortSignal): Promise<Uint8Array>;
}

/** Where what does not go to qBittorrent goes. */
export interface Outside {
  send(request: OutsideRequest, signal?: AbortSignal): Promise<{ status: number; body: string }>;
  saveFile(path: { folder: string; name: string }, bytes: Uint8Array): Promise<void>;
}

export type OutsideRequest = {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What it is sent for; of a message about many torrents the first. Makes a key that is the same in every attempt. */
  readonly about?: Pick<Change, "hash" | "ruleIndex" | "actionIndex">;
};
