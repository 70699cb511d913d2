import {
  Pause_Reason,
  Phase,
  PieceAnswer_Outcome as Outcome,
  readLayout,
  TorrentDescription,
} from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import type { PieceLog } from "./piece-log.ts";
import { conflict } from "./refused.ts";
import { Space } from "./space.ts";
import { StoredTorrent } from "./stored-torrent.ts";
import type { TorrentFiles } from "./torrent-files.ts";

const made = makeTorrent({
  version: "v1",
  name: "t",
  pieceLength: 16_384,
  files: [{ path: "a", size: 50_000 }],
});

const failing = (code: string): Error => Object.assign(new Error(`${code}: it failed`), { code });

const nameOf = (outcome: Outcome) => Object.entries(Outcome).find(([, value]) => value === outcome)?.[0];

/** A torrent whose disk does as it is told. */
function stage() {
  const disk = { sync: async (): Promise<void> => {}, place: async (): Promise<void> => {} };
  const told: string[] = [];
  const files = {
    sync: () => disk.sync(),
    place: () => disk.place(),
    isPlaced: () => false,
    isThere: () => true,
  };
  const log = { size: 0, append: async () => {}, sync: async () => {} };
  const torrent = new StoredTorrent({
    description: TorrentDescription.fromPartial({ torrentId: made.torrentId, torrent: made.torrent }),
    layout: readLayout(made.torrent),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of them that is called
    files: files as unknown as TorrentFiles,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of it that is called
    log: log as unknown as PieceLog,
    events: {
      durable: (pieces) => told.push(`${pieces} durable`),
      paused: ({ paused }) => told.push(`paused: ${paused?.detail}`),
      resumed: () => told.push("resumed"),
      lost: (_, pieces, why) => told.push(`${pieces} lost: ${why}`),
      failed: (_, why) => told.push(`failed: ${why}`),
      complete: () => told.push("complete"),
    },
    commit: { intervalMs: 60_000, bytes: 1e9 },
  });
  const heard: string[] = [];
  const hear = (piece: number) => (outcome: Outcome, detail?: string) =>
    void heard.push(`${piece} ${nameOf(outcome)}${detail ? ` ${detail}` : ""}`);
  return { torrent, disk, told, heard, hear };
}

test("pieces that the disk did not take are told as failed to all who wait for them, and are needed again", async () => {
  const { torrent, disk, told, heard, hear } = stage();
  await torrent.pieceWritten(0, hear(0));
  await torrent.pieceWritten(1, hear(1));
  torrent.hearOfDurable(1, hear(1));
  disk.sync = () => Promise.reject(failing("EIO"));
  await torrent.flush();
  expect(heard.slice(2)).toEqual([
    "0 FAILED EIO: it failed",
    "1 FAILED EIO: it failed",
    "1 FAILED EIO: it failed",
  ]);
  expect([...torrent.needed()]).toEqual([0, 1, 2, 3]);
  expect(torrent.state(500)).toMatchObject({
    phase: Phase.PAUSED,
    pause: { reason: Pause_Reason.IO, retryAfterMs: 500 },
    detail: "making pieces durable: EIO: it failed",
  });
  expect(told).toContain("2 lost: they could not be made durable");
  torrent.resume();
  torrent.resume();
  expect(told.filter((one) => one === "resumed")).toHaveLength(1);
});

test("who asks for a piece that is written hears when it is durable, and at once when it is", async () => {
  const { torrent, heard, hear } = stage();
  await torrent.pieceWritten(2, hear(2));
  torrent.hearOfDurable(2, hear(2));
  torrent.hearOfDurable(3, hear(3));
  expect(heard).toEqual(["2 WRITTEN"]);
  await torrent.flush();
  expect(heard).toEqual(["2 WRITTEN", "2 DURABLE", "2 DURABLE"]);
  torrent.hearOfDurable(2, hear(2));
  expect(heard).toHaveLength(4);
});

test.each([
  ["ENOSPC", Pause_Reason.SPACE],
  ["EDQUOT", Pause_Reason.SPACE],
  ["EROFS", Pause_Reason.READ_ONLY],
  ["EIO", Pause_Reason.IO],
])("a disk that says %s pauses the torrent with reason %s, once", (code, reason) => {
  const { torrent, told } = stage();
  torrent.diskError(failing(code), "writing");
  torrent.diskError(failing(code), "writing");
  expect(torrent.paused?.reason).toBe(reason);
  expect(told).toEqual([`paused: writing: ${code}: it failed`]);
});

test("what is in the way is for a person: said once, and gone with the next description", async () => {
  const { torrent, disk, told, hear } = stage();
  disk.place = () => Promise.reject(conflict("t/a is there already"));
  for (const piece of [0, 1, 2, 3]) await torrent.pieceWritten(piece, hear(piece));
  await torrent.flush();
  torrent.diskError(conflict("t/a is there already"), "again");
  expect(told.filter((one) => one.startsWith("failed"))).toEqual(["failed: t/a is there already"]);
  expect(torrent.phase).toBe(Phase.FAILED);
  torrent.redescribe(torrent.description);
  expect(torrent.phase).toBe(Phase.COMPLETE);
  torrent.setFinalizing(true);
  expect(torrent.phase).toBe(Phase.FINALIZING);
});

test("space is promised to one torrent after the other, and comes free when one ends", async () => {
  const [first, second] = [stage(), stage()];
  const space = new Space({ free: async () => 80_000, keepFreeBytes: 20_000 });
  expect(await space.admit(first.torrent)).toBe(true);
  expect(await space.admit(second.torrent)).toBe(false);
  expect(second.told).toEqual([
    "paused: 50000 bytes are needed, and 10000 are free beside 20000 that are left alone and what other torrents still need",
  ]);
  await first.torrent.pieceWritten(0, () => {});
  await first.torrent.pieceWritten(1, () => {});
  expect(await space.admit(second.torrent)).toBe(false);
  space.release(first.torrent);
  expect(await space.admit(second.torrent)).toBe(true);
  expect(second.told.at(-1)).toBe("resumed");
});
