import { createHash } from "node:crypto";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Bencodable, bencode } from "./bencode.ts";
import { type Layout, planLayout } from "./layout.ts";
import { v1Info } from "./v1-info.ts";
import { pieceLayers, treesOf, v2Info } from "./v2-info.ts";

export type TorrentOptions = {
  version: "v1" | "v2" | "hybrid";
  /** Paths with "/" below the torrent's folder; one file without a folder and without `name` is a single-file torrent. */
  files: readonly { path: string; size: number }[];
  /** Bytes, a power of two from 16 KiB; default 16 KiB. */
  pieceLength?: number;
  private?: boolean;
  /** What private trackers add to the info dictionary: another infohash for the same content, a cross-seed. */
  source?: string;
  /** v1 only: pad files between the files, so that each starts on a piece (BEP 47). Hybrid torrents always have them. */
  padded?: boolean;
  name?: string;
  /** Another seed gives other content, and so other hashes, for the same files; default "1". */
  seed?: string | number;
  /** Announce addresses, each a tier of its own; default none. */
  trackers?: readonly string[];
  comment?: string;
};

export type MadeFile = {
  /** Below the save path, with the torrent's folder. */
  path: string;
  size: number;
  /** Its bytes, all or from an offset; the same on every call. */
  content: (offset?: number, length?: number) => Buffer;
};

export type MadeTorrent = {
  /** The .torrent file. */
  torrent: Buffer;
  name: string;
  pieceLength: number;
  infohashV1?: string;
  infohashV2?: string;
  /** What qBittorrent calls `hash`: the v2 infohash cut to 40 digits when there is one, otherwise the v1 infohash. */
  torrentId: string;
  /** In the order of the torrent, pad files left out. */
  files: readonly MadeFile[];
  /** Writes the content below a save path, as a client that has completed the torrent. */
  write(dir: string): Promise<void>;
};

/**
 * Makes a torrent and its content on the spot, the same for the same options on every machine.
 *
 * @throws RangeError when the piece length or the files are impossible
 */
export function makeTorrent(options: TorrentOptions): MadeTorrent {
  const { version, padded = false, trackers = [], comment } = options;
  const layout = planLayout(options);
  const trees = version === "v1" ? undefined : treesOf(layout);
  const info: Bencodable = {
    name: layout.name,
    "piece length": layout.pieceLength,
    private: options.private ? 1 : undefined,
    source: options.source,
    ...(version !== "v2" && v1Info(layout, padded || version === "hybrid")),
    ...(trees && v2Info(layout, trees)),
  };
  const torrent = bencode({
    announce: trackers[0],
    "announce-list": trackers.length > 1 ? trackers.map((tracker) => [tracker]) : undefined,
    comment,
    info,
    "piece layers": trees && pieceLayers(trees),
  });
  return { torrent, ...namesOf(info, version), ...onDisk(layout) };
}

function namesOf(info: Bencodable, version: TorrentOptions["version"]) {
  const bytes = bencode(info);
  const v1 = version === "v2" ? {} : { infohashV1: createHash("sha1").update(bytes).digest("hex") };
  const v2 = version === "v1" ? {} : { infohashV2: createHash("sha256").update(bytes).digest("hex") };
  const names = { ...v1, ...v2 };
  return { ...names, torrentId: (names.infohashV2 ?? names.infohashV1 ?? "").slice(0, 40) };
}

function onDisk({ name, isSingleFile, pieceLength, files: planned }: Layout) {
  const files = planned.map(({ parts, size, content }): MadeFile => {
    return { path: isSingleFile ? name : [name, ...parts].join("/"), size, content };
  });
  const write = async (dir: string) => {
    for (const file of files) await writeContent(join(dir, file.path), file);
  };
  return { name, pieceLength, files, write };
}

const writeBytes = 8 * 1024 * 1024;

async function writeContent(path: string, { size, content }: MadeFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await using file = await open(path, "w");
  for (let offset = 0; offset < size; offset += writeBytes) {
    await file.write(content(offset, Math.min(writeBytes, size - offset)));
  }
}
