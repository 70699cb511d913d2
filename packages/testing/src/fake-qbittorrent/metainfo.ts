import { createHash } from "node:crypto";
import { type Bencoded, decodeBencode, encodeBencode } from "./bencode.ts";

type MetainfoFile = { path: string; size: number; isPad: boolean };

/** What qBittorrent learns from a .torrent file or a magnet link. */
export type Metainfo = {
  name: string;
  infohashV1: string;
  infohashV2: string;
  trackers: { url: string; tier: number }[];
  webSeeds: string[];
  /** Undefined for a magnet link. */
  content: Content | undefined;
  comment: string;
  createdBy: string;
  /** Epoch seconds, -1 when the file does not say. */
  creationDate: number;
};

export type Content = {
  files: MetainfoFile[];
  pieceLength: number;
  /** SHA-1 in hex; empty for v2-only torrents. */
  pieceHashes: string[];
  isPrivate: boolean;
  /** v2 and hybrid: every file starts at a piece of its own. */
  isAligned: boolean;
  /** The torrent's files lie in a folder of the torrent's name. */
  hasRootFolder: boolean;
  /** The bytes of its info dictionary. */
  info: Buffer;
  /** The file as it was added, for `torrents/export`. */
  source: Buffer;
};

type Dict = { [key: string]: Bencoded };

/** @returns undefined when the bytes are no torrent file */
export function readTorrentFile(data: Buffer): Metainfo | undefined {
  try {
    return metainfoOf(data);
  } catch {
    return undefined;
  }
}

function metainfoOf(data: Buffer): Metainfo {
  const torrent = dict(decodeBencode(data));
  const info = dict(torrent["info"]);
  const bytes = encodeBencode(info);
  const isV1 = typeof info["pieces"] === "string";
  const isV2 = info["meta version"] === 2;
  const files = isV1 ? v1Files(info) : v2Files(dict(info["file tree"]), v2Folder(info));
  const pieceLength = info["piece length"];
  if (typeof pieceLength !== "number" || files.length === 0 || !(isV1 || isV2)) throw new Error("no info");
  const name = utf8(info["name"]);
  return {
    name,
    infohashV1: isV1 ? createHash("sha1").update(bytes).digest("hex") : "",
    infohashV2: isV2 ? createHash("sha256").update(bytes).digest("hex") : "",
    trackers: trackersOf(torrent),
    webSeeds: webSeedsOf(torrent["url-list"]),
    comment: utf8(torrent["comment"]),
    createdBy: utf8(torrent["created by"]),
    creationDate: typeof torrent["creation date"] === "number" ? torrent["creation date"] : -1,
    content: {
      files,
      pieceLength,
      pieceHashes: isV1 ? pieceHashesOf(info["pieces"] as string) : [],
      isPrivate: info["private"] === 1,
      isAligned: isV2,
      hasRootFolder: files.length > 1 || files[0]?.path !== name,
      info: bytes,
      source: data,
    },
  };
}

function dict(value: Bencoded | undefined): Dict {
  if (typeof value !== "object" || Array.isArray(value)) throw new Error("no dictionary");
  return value;
}

function utf8(value: Bencoded | undefined): string {
  return typeof value === "string" ? Buffer.from(value, "latin1").toString("utf8") : "";
}

function v1Files(info: Dict): MetainfoFile[] {
  const root = utf8(info["name"]);
  if (typeof info["length"] === "number") return [{ path: root, size: info["length"], isPad: false }];
  return (info["files"] as Dict[]).map((file) => ({
    path: [root, ...(file["path"] as string[]).map(utf8)].join("/"),
    size: file["length"] as number,
    isPad: utf8(file["attr"]).includes("p"),
  }));
}

/** BEP 52: a tree with nothing but one file of the torrent's name is a torrent without a folder. */
function v2Folder(info: Dict): string {
  const tree = dict(info["file tree"]);
  const name = info["name"] as string;
  const only = Object.keys(tree).length === 1 ? tree[name] : undefined;
  return only !== undefined && dict(only)[""] !== undefined ? "" : `${utf8(name)}/`;
}

/** The leaves are keyed by the empty string. */
function v2Files(tree: Dict, folder: string): MetainfoFile[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    const path = folder + utf8(name);
    const leaf = dict(value)[""];
    if (leaf === undefined) return v2Files(dict(value), `${path}/`);
    return [{ path, size: dict(leaf)["length"] as number, isPad: false }];
  });
}

function pieceHashesOf(pieces: string): string[] {
  const bytes = Buffer.from(pieces, "latin1");
  return Array.from({ length: bytes.length / 20 }, (_, at) => bytes.toString("hex", at * 20, at * 20 + 20));
}

function trackersOf(torrent: Dict): { url: string; tier: number }[] {
  const tiers = torrent["announce-list"];
  if (Array.isArray(tiers) && tiers.length > 0) {
    return tiers.flatMap((tier, at) => (tier as string[]).map((url) => ({ url: utf8(url), tier: at })));
  }
  const announce = utf8(torrent["announce"]);
  return announce ? [{ url: announce, tier: 0 }] : [];
}

function webSeedsOf(list: Bencoded | undefined): string[] {
  if (list === undefined) return [];
  return (Array.isArray(list) ? list : [list]).map(utf8).filter(Boolean);
}

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * Reads a magnet link, or a bare infohash as qBittorrent does.
 *
 * @returns undefined when it is neither
 */
export function readMagnet(link: string): Metainfo | undefined {
  const bare = infohash(link);
  const params = new URLSearchParams(link.startsWith("magnet:?") ? link.slice("magnet:?".length) : "");
  const topics = params.getAll("xt").map((topic) => infohash(topic.replace(/^urn:(btih|btmh):/, "")));
  const hashes = [bare, ...topics].filter((hash) => hash !== undefined);
  const infohashV1 = hashes.find((hash) => hash.length === 40) ?? "";
  const infohashV2 = hashes.find((hash) => hash.length === 64) ?? "";
  if (!infohashV1 && !infohashV2) return undefined;
  return {
    name: params.get("dn") ?? "",
    infohashV1,
    infohashV2,
    trackers: params.getAll("tr").map((url, tier) => ({ url, tier })),
    webSeeds: params.getAll("ws"),
    content: undefined,
    comment: "",
    createdBy: "",
    creationDate: -1,
  };
}

function infohash(value: string): string | undefined {
  if (/^[0-9a-f]{40}$/i.test(value)) return value.toLowerCase();
  if (/^1220[0-9a-f]{64}$/i.test(value)) return value.slice(4).toLowerCase();
  if (/^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase();
  if (!/^[a-z2-7]{32}$/i.test(value)) return undefined;
  const bits = value
    .toUpperCase()
    .split("")
    .map((digit) => base32.indexOf(digit).toString(2).padStart(5, "0"))
    .join("");
  return BigInt(`0b${bits}`).toString(16).padStart(40, "0");
}
