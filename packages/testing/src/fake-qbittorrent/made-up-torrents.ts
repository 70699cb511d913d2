import { putFiles } from "./disk.ts";
import type { Json } from "./answers.ts";
import { type Metainfo, readTorrentFile } from "./metainfo.ts";
import type { Params } from "./params.ts";
import type { FakeState, FakeTorrent } from "./state.ts";
import { update } from "./torrent.ts";

/** A torrent out of nothing. What is not said is made up; `fields` are those of `torrents/info`. */
export type TorrentSpec = {
  /** A real .torrent file: names, infohashes, files and trackers are taken from it. */
  torrent?: Buffer;
  name?: string;
  /** 40 hex digits. */
  hash?: string;
  /** 64 hex digits; makes a hybrid torrent, whose id is their first 40. */
  infohashV2?: string;
  files?: readonly { path: string; size: number }[];
  trackers?: readonly string[];
  /** A magnet link that has not found its metadata yet. */
  isMagnet?: boolean;
  isPrivate?: boolean;
  stopped?: boolean;
  category?: string;
  tags?: readonly string[];
  savePath?: string;
  /** Shown by `torrents/info` instead of what the fake works out: state, progress, ratio, dlspeed, added_on, … */
  fields?: Record<string, Json>;
};

const pieceLength = 1 << 20;

export function madeUpTorrent(
  state: FakeState,
  spec: TorrentSpec,
): { metainfo: Metainfo; params: Params; fields: Record<string, Json> } {
  const metainfo = spec.torrent ? fromFile(spec.torrent) : invented(state, spec);
  const isStopped = String(spec.stopped ?? false);
  const params: Params = {
    rename: spec.name,
    category: spec.category,
    tags: spec.tags?.join(","),
    savepath: spec.savePath,
    paused: isStopped,
    stopped: isStopped,
  };
  return { metainfo, params, fields: spec.fields ?? {} };
}

function fromFile(torrent: Buffer): Metainfo {
  const metainfo = readTorrentFile(torrent);
  if (metainfo === undefined) throw new Error("adding a torrent to the fake: the bytes are no torrent file");
  return metainfo;
}

function invented(state: FakeState, spec: TorrentSpec): Metainfo {
  const infohashV1 = spec.hash?.toLowerCase() ?? hex(state, 40);
  const name = spec.name ?? `torrent-${infohashV1.slice(0, 8)}`;
  const files = (spec.files ?? [{ path: name, size: 8 * pieceLength }]).map((file) => ({
    ...file,
    isPad: false,
  }));
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const pieces = Math.ceil(size / pieceLength);
  const content = {
    files,
    pieceLength,
    pieceHashes: Array.from({ length: pieces }, () => "0".repeat(40)),
    isPrivate: spec.isPrivate ?? false,
    isAligned: false,
    hasRootFolder: files.some(({ path }) => path.includes("/")),
    info: Buffer.alloc(0),
    source: Buffer.from("d4:infod6:lengthi0eee"),
  };
  return {
    name,
    infohashV1,
    infohashV2: spec.infohashV2?.toLowerCase() ?? "",
    trackers: (spec.trackers ?? []).map((url, tier) => ({ url, tier })),
    webSeeds: [],
    comment: "",
    createdBy: "",
    creationDate: -1,
    content: spec.isMagnet === true ? undefined : content,
  };
}

function hex(state: FakeState, length: number): string {
  return Array.from({ length }, () => Math.floor(state.random() * 16).toString(16)).join("");
}

/** Fields the fake works with are changed in earnest; the others are only shown. */
export function pinFields(state: FakeState, torrent: FakeTorrent, fields: Record<string, Json>): void {
  const {
    state: pinnedState,
    progress,
    name,
    category,
    tags,
    added_on: addedOn,
    completion_on: completedOn,
    ...shown
  } = fields;
  update(state, torrent, {
    ...(typeof pinnedState === "string" && { pinnedState }),
    ...(typeof progress === "number" && progressChanges(state, torrent, progress)),
    ...(typeof name === "string" && { name }),
    ...(typeof category === "string" && { category }),
    ...(typeof tags === "string" && { tags: new Set(tags.split(",").flatMap((tag) => tag.trim() || [])) }),
    ...(typeof addedOn === "number" && { addedOn }),
    ...(typeof completedOn === "number" && { completedOn }),
    pinned: { ...torrent.pinned, ...shown },
  });
}

function progressChanges(state: FakeState, torrent: FakeTorrent, progress: number): Partial<FakeTorrent> {
  if (progress < 1 && !state.queue.includes(torrent.id)) state.queue.push(torrent.id);
  const completedOn = progress >= 1 ? (torrent.completedOn ?? Math.floor(state.now() / 1000)) : undefined;
  if (progress >= 1) putFiles(state, torrent);
  return { progress, completedOn, isMissingFiles: false };
}
