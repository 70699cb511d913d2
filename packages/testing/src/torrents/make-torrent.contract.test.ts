import { describe, expect, test } from "vitest";
import { qbittorrentVersionsUnderTest } from "../servers/kinds.ts";
import { startQbittorrent } from "../servers/qbittorrent.ts";
import { isMissing } from "../servers/server-at-hand.ts";
import { waitFor } from "../wait-for.ts";
import { makeTorrent, type TorrentOptions } from "./make-torrent.ts";

type Shape = Omit<TorrentOptions, "version" | "padded">;
type Listed = {
  hash: string;
  infohash_v1: string;
  infohash_v2: string;
  progress: number;
  state: string;
  size: number;
};

/** Every torrent has a name of its own, and so files of its own below the save path. */
const shapesOf = (kind: string): Record<string, Shape> => ({
  "one file": { files: [{ path: `${kind}.bin`, size: 100_000 }] },
  "one file within a block": { files: [{ path: `${kind}.txt`, size: 5 }], private: true },
  "files on and off the pieces' borders, and empty ones": {
    files: [
      { path: "0 empty", size: 0 },
      { path: "a/film é.bin", size: 100_000 },
      { path: "a/empty", size: 0 },
      { path: "b", size: 16_384 },
      { path: "c", size: 16_385 },
      { path: "z empty", size: 0 },
    ],
    name: `${kind} borders`,
  },
  "many files and larger pieces": {
    files: Array.from({ length: 300 }, (_, index) => ({
      path: `${index % 7}/${index}`,
      size: (index * 7_919) % 50_000,
    })),
    pieceLength: 65_536,
    trackers: ["http://127.0.0.1:1/announce", "http://127.0.0.1:2/announce"],
    comment: "made on the spot",
    name: `${kind} many`,
  },
});

const kinds: Record<string, Pick<TorrentOptions, "version" | "padded">> = {
  v1: { version: "v1" },
  "v1 padded": { version: "v1", padded: true },
  v2: { version: "v2" },
  hybrid: { version: "hybrid" },
};

/** All are checked at once, and told about ten times a second. */
const fast = { queueing_enabled: false, max_active_checking_torrents: 16, refresh_interval: 100 };

for (const version of qbittorrentVersionsUnderTest()) {
  const knowsV2 = version !== "4.2.5";
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`qBittorrent ${version}`, () => {
    test("finds every torrent's files complete, by the hashes that were announced", async () => {
      await using server = await startQbittorrent({ version, preferences: fast });
      const torrents = makeAll(knowsV2 ? ["v1", "v1 padded", "v2", "hybrid"] : ["v1", "v1 padded"]);
      for (const made of torrents) {
        await made.write(server.savePath);
        await add(server.url, made.torrent);
      }
      for (const made of torrents) {
        const listed = await waitFor(() => complete(server.url, made.torrentId), {
          what: `${made.name}, complete`,
        });
        const hashes = { infohash_v1: made.infohashV1 ?? "", infohash_v2: made.infohashV2 ?? "" };
        expect(listed).toMatchObject({ name: made.name, ...(knowsV2 && hashes) });
      }
    });
  });
}

function makeAll(names: readonly string[]) {
  return names.flatMap((name) =>
    Object.values(shapesOf(name)).map((shape) =>
      makeTorrent({ version: "v1", ...kinds[name], ...shape, seed: name }),
    ),
  );
}

async function add(url: string, torrent: Buffer): Promise<void> {
  const body = new FormData();
  body.append("torrents", new Blob([Uint8Array.from(torrent)]), "made.torrent");
  expect((await fetch(`${url}/api/v2/torrents/add`, { method: "POST", body })).ok).toBe(true);
}

/** A torrent is complete when qBittorrent has read all its files and found nothing wrong. */
async function complete(url: string, hash: string): Promise<Listed | undefined> {
  const response = await fetch(`${url}/api/v2/torrents/info?hashes=${hash}`);
  const [listed]: Listed[] = JSON.parse(await response.text());
  return listed?.progress === 1 && !listed.state.startsWith("checking") ? listed : undefined;
}
