import { makeTorrent } from "../../torrents/make-torrent.ts";

export type PoolName = "single" | "folder" | "private" | "hybrid" | "v2" | "broken";

const pieceLength = 16_384;

/** The torrents every sequence plays with. */
function made() {
  return {
    single: makeTorrent({ version: "v1", files: [{ path: "single.bin", size: 20_000 }], seed: 1 }),
    folder: makeTorrent({
      version: "v1",
      name: "folder",
      files: [
        { path: "sub/one.txt", size: pieceLength },
        { path: "two.txt", size: 5 },
        { path: "empty", size: 0 },
      ],
      trackers: ["http://127.0.0.1:9/announce", "http://127.0.0.1:9/other"],
      comment: "a comment",
      seed: 2,
    }),
    private: makeTorrent({
      version: "v1",
      files: [{ path: "private.iso", size: 40_000 }],
      private: true,
      trackers: ["http://127.0.0.1:9/private"],
      seed: 3,
    }),
    hybrid: makeTorrent({
      version: "hybrid",
      name: "hybrid",
      files: [
        { path: "a", size: 1000 },
        { path: "b", size: 30_000 },
      ],
      seed: 4,
    }),
    v2: makeTorrent({
      version: "v2",
      name: "v2",
      files: [
        { path: "c", size: 20_000 },
        { path: "d", size: 10 },
      ],
      seed: 5,
    }),
  };
}

/** Below the save path: here every torrent of the pool lies, whole, whenever one is added without a check. */
export const trustedFolder = "trusted";

/** Where the torrents' content lies when a sequence begins. */
export type Content = {
  savePath: string;
  /** Also where torrents go by default: some of them find it there. */ isFound: boolean;
};

export async function writePoolFiles({ savePath, isFound }: Content): Promise<void> {
  const { single, folder, hybrid } = made();
  if (isFound) for (const torrent of [single, folder, hybrid]) await torrent.write(savePath);
  await writeTrustedFiles(savePath);
}

export async function writeTrustedFiles(savePath: string): Promise<void> {
  for (const torrent of Object.values(made())) await torrent.write(`${savePath}/${trustedFolder}`);
}

/** The files `writePoolFiles` writes. */
export function poolFiles({ savePath, isFound }: Content): string[] {
  const { single, folder, hybrid } = made();
  const found = isFound ? [single, folder, hybrid].flatMap(({ files }) => files) : [];
  return [...found.map(({ path }) => `${savePath}/${path}`), ...trustedFiles(savePath)];
}

export function trustedFiles(savePath: string): string[] {
  const files = Object.values(made()).flatMap((torrent) => torrent.files);
  return files.map(({ path }) => `${savePath}/${trustedFolder}/${path}`);
}

export type Pool = Readonly<Record<PoolName, Buffer>>;

export function torrentPool(): Pool {
  const { single, folder, private: secret, hybrid, v2 } = made();
  return {
    single: single.torrent,
    folder: folder.torrent,
    private: secret.torrent,
    hybrid: hybrid.torrent,
    v2: v2.torrent,
    broken: Buffer.from("d4:info3:nope"),
  };
}

/** Ids of the torrents, and of a magnet link; the hybrid one also by its v1 infohash, which is its id before 4.4. */
export function poolIds() {
  const { single, folder, private: secret, hybrid, v2 } = made();
  return {
    single: single.torrentId,
    folder: folder.torrentId,
    private: secret.torrentId,
    hybrid: hybrid.torrentId,
    hybridV1: hybrid.infohashV1 ?? "",
    v2: v2.torrentId,
    magnet: "0123456789abcdef0123456789abcdef01234567",
  };
}
