import { createHash } from "node:crypto";
import { BencodeError, dictionarySpans, integerAt } from "./bencode.ts";

/** The names of one torrent. At least one infohash is there. */
export interface Infohashes {
  /** SHA-1 of the info dictionary, 40 hex digits: v1 and hybrid torrents. */
  v1?: string;
  /** SHA-256 of the info dictionary, 64 hex digits: v2 and hybrid torrents. */
  v2?: string;
  /** What qBittorrent calls `hash`: v1 for v1 torrents, else the first 40 digits of v2. */
  id: string;
}

/**
 * Infohashes of a torrent file (BEP 3 and BEP 52), over its bytes as they are.
 *
 * @throws BencodeError when it is not a torrent file.
 */
export function infohashesOfTorrent(torrent: Uint8Array): Infohashes {
  const span = dictionarySpans(torrent).get("info");
  if (span === undefined) throw new BencodeError("no info dictionary");
  const info = dictionarySpans(torrent, span[0]);
  const bytes = torrent.subarray(...span);
  const version = info.get("meta version");
  const isV2 = version !== undefined && integerAt(torrent, version) === 2;
  // A hybrid torrent has both `pieces` (v1) and `file tree` (v2).
  const v1 = info.has("pieces") ? createHash("sha1").update(bytes).digest("hex") : undefined;
  const v2 = isV2 ? createHash("sha256").update(bytes).digest("hex") : undefined;
  return named(v1, v2) ?? neither();
}

/** Infohashes named in a magnet link, hex or base32 (BEP 9); `undefined` if it is none or names none. */
export function infohashesOfMagnet(link: string): Infohashes | undefined {
  if (!/^magnet:\?/i.test(link)) return undefined;
  const topics = new URLSearchParams(link.slice(link.indexOf("?") + 1)).getAll("xt");
  const v1 = topics.map(btih).find((hash) => hash !== undefined);
  const v2 = topics.map((topic) => /^urn:btmh:1220([0-9a-f]{64})$/i.exec(topic)?.[1]?.toLowerCase());
  return named(
    v1,
    v2.find((hash) => hash !== undefined),
  );
}

function named(v1: string | undefined, v2: string | undefined): Infohashes | undefined {
  const id = v2?.slice(0, 40) ?? v1;
  if (id === undefined) return undefined;
  return { ...(v1 === undefined ? {} : { v1 }), ...(v2 === undefined ? {} : { v2 }), id };
}

function neither(): never {
  throw new BencodeError("the info dictionary is neither v1 nor v2");
}

function btih(topic: string): string | undefined {
  const hash = /^urn:btih:([0-9a-z]+)$/i.exec(topic)?.[1]?.toLowerCase();
  if (hash !== undefined && /^[0-9a-f]{40}$/.test(hash)) return hash;
  return hash !== undefined && /^[a-z2-7]{32}$/.test(hash) ? base32(hash) : undefined;
}

function base32(text: string): string {
  let bits = 0n;
  for (const letter of text) bits = bits * 32n + BigInt("abcdefghijklmnopqrstuvwxyz234567".indexOf(letter));
  return bits.toString(16).padStart(40, "0");
}
