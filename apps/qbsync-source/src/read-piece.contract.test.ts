import { readLayout } from "@qbit-sidecars/qbsync-protocol/layout";
import {
  isMissing,
  type MadeTorrent,
  makeTorrent,
  qbittorrentVersionsUnderTest,
  waitFor,
} from "@qbit-sidecars/testing";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { foldersOf } from "./data-folders.ts";
import { type PieceReading, readPiece } from "./read-piece.ts";
import { startSwarm, type Swarm } from "./swarm-under-test.ts";

const versions = qbittorrentVersionsUnderTest().filter((version) => version !== "4.2.5");

/** qBittorrent's `disk_io_type`. */
const diskIo = [
  ["default disk I/O", 0],
  ["memory-mapped files", 1],
  ["POSIX disk I/O", 2],
] as const;
const diskIoUnderTest = process.env.QBIT_SIDECARS_LONG === "1" ? diskIo : diskIo.slice(0, 1);

for (const version of versions) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`qBittorrent ${version}`, () => {
    test.each(diskIoUnderTest)(
      "%s: every piece can be read as soon as it is called finished",
      async (_, io) => {
        await using swarm = await startSwarm({
          version,
          preferences: { incomplete_files_ext: true, disk_io_type: io, temp_path_enabled: true },
        });
        const { source, client } = swarm;
        await client.app.setPreferences({ temp_path: join(source.profileDir, "incomplete") });
        // The kind of disk I/O is chosen once, when qBittorrent starts.
        await source.restart();
        const made = makeTorrent({
          version: "v1",
          name: "mixed",
          pieceLength: 65_536,
          files: [
            { path: "a/film.bin", size: 1_500_000 },
            { path: "b unwanted.bin", size: 500_000 },
            { path: "c.bin", size: 700_000 },
            { path: "empty", size: 0 },
            { path: "d.txt", size: 5 },
          ],
        });
        await swarm.seed(made, 1_500_000);
        await swarm.download(made, { unselected: [1] });
        const first = await readAsTheyFinish(swarm, made);
        const layout = readLayout(made.torrent);
        // Of the file that nobody wants, seven pieces hold nothing else; two more are shared with its neighbours.
        expect(first.size).toBe(layout.pieceCount - 7);
        const shared = new Set([22, 30]);
        const unread = [...first].filter(([piece, { kind }]) => kind !== "read" && !shared.has(piece));
        expect(unread).toEqual([]);
        // The header of .parts is written when libtorrent lets go of the files: at the latest when all are complete.
        for (const piece of shared) {
          const read = async () => (await readNow(swarm, made, piece)).kind === "read";
          await waitFor(read, { what: `piece ${piece}, half of it in .parts`, timeoutMs: 20_000 });
        }
      },
    );
  });
}

/** Reads each piece once, at the first moment at which qBittorrent says that it has it. */
async function readAsTheyFinish(swarm: Swarm, made: MadeTorrent): Promise<Map<number, PieceReading>> {
  const first = new Map<number, PieceReading>();
  const isComplete = async () => {
    const now = await swarm.torrent(made);
    for (const [piece, state] of (await swarm.client.torrents.pieceStates(made.torrentId)).entries()) {
      if (state === 2 && !first.has(piece)) first.set(piece, await readNow(swarm, made, piece));
    }
    return now?.progress === 1 && now.state.endsWith("UP");
  };
  await waitFor(isComplete, { what: `${made.name} to be complete`, timeoutMs: 45_000 });
  return first;
}

async function readNow(swarm: Swarm, made: MadeTorrent, piece: number): Promise<PieceReading> {
  const names = (await swarm.client.torrents.files(made.torrentId)).map(({ name }) => name);
  const now = await swarm.torrent(made);
  if (now === undefined) throw new Error("the torrent is gone");
  const data = { layout: readLayout(made.torrent), names, folders: foldersOf(now, names) };
  return await readPiece(data, piece, { chunkBytes: 16_384, holdBytes: 1e6 });
}
