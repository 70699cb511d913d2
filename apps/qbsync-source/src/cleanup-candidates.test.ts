import type { Torrent } from "@qbit-sidecars/qbit-client";
import { Phase, TorrentState } from "@qbit-sidecars/qbsync-protocol";
import { PieceSet } from "@qbit-sidecars/qbsync-protocol/layout";
import { expect, test } from "vitest";
import { candidatesOf } from "./cleanup-candidates.ts";
import { TrackedTorrent } from "./tracked-torrent.ts";

const id = "a".repeat(40);

/** A torrent of 8 pieces, complete here; the destination was finished with the first 4. */
function isSyncedWith(wantedPieces: readonly (readonly [number, number])[]): boolean | undefined {
  const torrent: Partial<Torrent> = { hash: id, name: "film", state: "stalledUP", progress: 1, tags: "" };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is read of it
  const tracked = new TrackedTorrent(torrent as Torrent);
  const durable = new PieceSet(8);
  for (let piece = 0; piece < 4; piece += 1) durable.add(piece);
  tracked.hear(
    TorrentState.fromPartial({
      torrentId: id,
      phase: Phase.FINISHED,
      pieceCount: 8,
      durable: durable.toBytes(),
    }),
  );
  const contents = new Map([[id, { keys: [], inodes: [], isOnDisk: true, wantedPieces }]]);
  const tags = { synced: "", syncFailed: "", excludeSync: "", excludeCleanup: "" };
  return candidatesOf([tracked], { tags, contents, holds: new Map(), now: 0, listedForMs: 0 })[0]?.isSynced;
}

test("what was selected while nobody looked, and was never sent, keeps a torrent from being handed over", () => {
  expect(isSyncedWith([[0, 3]])).toBe(true);
  expect(
    isSyncedWith([
      [0, 3],
      [3, 7],
    ]),
  ).toBe(false);
});
