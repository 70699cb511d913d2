import {
  isMissing,
  type MadeTorrent,
  makeTorrent,
  qbittorrentVersionsUnderTest,
  type TorrentOptions,
  waitFor,
} from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { DestinationStandIn } from "./destination-under-test.ts";
import { runSource } from "./source-under-test.ts";
import { startSwarm, type Swarm } from "./swarm-under-test.ts";

// Both apps between real qBittorrents of both versions are in packages/e2e.
const versions = qbittorrentVersionsUnderTest().filter((version) => version !== "4.2.5");
const versionsNow = process.env.QBIT_SIDECARS_LONG === "1" ? versions : versions.slice(-1);
const mixed = [
  { path: "a/film.bin", size: 1_500_000 },
  { path: "b.bin", size: 500_000 },
  { path: "c.bin", size: 700_001 },
  { path: "empty", size: 0 },
  { path: "d.txt", size: 5 },
];
const shapes: Record<string, TorrentOptions & { unselected?: number[] }> = {
  v1: { version: "v1", name: "v1", files: mixed, pieceLength: 65_536, seed: 1 },
  padded: { version: "v1", padded: true, name: "padded", files: mixed, pieceLength: 65_536, seed: 2 },
  hybrid: { version: "hybrid", name: "hybrid", files: mixed, pieceLength: 65_536, seed: 3 },
  v2: { version: "v2", name: "v2", files: mixed, pieceLength: 65_536, seed: 4 },
  partial: { version: "v1", name: "partial", files: mixed, pieceLength: 65_536, unselected: [1], seed: 5 },
};

for (const version of versionsNow) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`qBittorrent ${version}`, () => {
    test("pieces arrive while they are downloaded, each once, and the torrents are tagged when they are complete there", async () => {
      await using swarm = await startSwarm({ version, preferences: { incomplete_files_ext: true } });
      await using destination = await DestinationStandIn.start();
      await using source = await runSource(environment(swarm, destination.port));
      const made = Object.values(shapes).map((shape) => ({ shape, torrent: makeTorrent(shape) }));
      for (const { torrent } of made) await swarm.seed(torrent, 700_000);
      const [first, ...others] = made;
      await swarm.download(first!.torrent);
      await waitFor(() => destination.has(first!.torrent.torrentId) > 0, {
        what: "a first piece",
        timeoutMs: 20_000,
      });
      expect((await swarm.torrent(first!.torrent))?.progress).toBeLessThan(1);
      await Promise.all(
        others.map(({ shape, torrent }) => swarm.download(torrent, { unselected: shape.unselected ?? [] })),
      );
      for (const { torrent } of made) {
        const isTagged = async () => (await swarm.torrent(torrent))?.tags === "synced";
        await waitFor(isTagged, { what: `${torrent.name} tagged; ${source.output()}`, timeoutMs: 30_000 });
        expectContent(destination, torrent);
      }
      expect(destination.arrivals.length).toBe(new Set(destination.arrivals).size);
      expect(await source.metric("qbsync_inflight_bytes")).toBe(0);
    });
  });
}

function environment(swarm: Swarm, port: number): Record<string, string> {
  return {
    QBSYNC_SOURCE_DATA: swarm.source.savePath,
    QBSYNC_SOURCE_QB_URL: swarm.source.url,
    QBSYNC_SOURCE_DESTINATION_ADDR: `127.0.0.1:${port}`,
  };
}

function expectContent(destination: DestinationStandIn, made: MadeTorrent): void {
  const stored = destination.torrents.get(made.torrentId)!;
  for (const piece of stored.wanted) {
    const content = stored.layout
      .slices(piece)
      .map(({ file, offset, length }) => made.files[file]!.content(offset, length));
    expect(stored.content.get(piece)?.equals(Buffer.concat(content))).toBe(true);
  }
}
