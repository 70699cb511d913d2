import type { Torrent } from "@qbit-sidecars/qbit-client";
import type { Subject } from "../plan/subject.ts";
import type { Source } from "./source.ts";

export type FieldType = "text" | "hash" | "state" | "number" | "bytes" | "seconds" | "time" | "boolean";

export type Value = string | number | boolean | null | undefined | readonly (string | number | boolean)[];

export type Field = {
  /** `info.name` */
  readonly name: string;
  readonly type: FieldType;
  /** One value for each tracker, file, tag …: see the quantifiers. */
  readonly isList: boolean;
  readonly source: Source;
  /** First Web API version that tells it. */
  readonly since?: string;
  /** Means nothing while a magnet link has no metadata. */
  readonly needsMetadata?: boolean;
  readonly about: string;
  /** The field of `torrents/info` that says the same where the version has it, and so saves a call. */
  readonly inList?: string;
  /** `undefined`: this qBittorrent does not say. Only called once the source is there. */
  readonly read: (subject: Subject) => Value;
};

/** Fields that are empty of no torrent: asking whether they are there asks for all torrents. */
export function isAlwaysThere({ name }: Field): boolean {
  return ["info.hash", "info.name", "info.state", "info.save_path"].includes(name);
}

export function hasMetadata(torrent: Torrent): boolean {
  if (torrent.has_metadata !== undefined) return torrent.has_metadata;
  return torrent.state !== "metaDL" && torrent.state !== "forcedMetaDL" && !(torrent.total_size < 0);
}
