import type { Torrent } from "@qbit-sidecars/qbit-client";
import {
  PieceAnswer_Outcome as Outcome,
  Pause_Reason,
  TorrentDescription,
} from "@qbit-sidecars/qbsync-protocol";
import { readLayout } from "@qbit-sidecars/qbsync-protocol/layout";
import { FakeClock, makeTorrent } from "@qbit-sidecars/testing";
import { beforeEach, expect, test } from "vitest";
import type { Link } from "./link.ts";
import { PieceSender } from "./send-pieces.ts";
import { TokenBucket } from "./token-bucket.ts";
import { allPieces, TrackedTorrent } from "./tracked-torrent.ts";

const made = makeTorrent({
  version: "v1",
  name: "film",
  pieceLength: 16_384,
  files: [{ path: "a", size: 40_000 }],
});
const torrentId = made.torrentId;

let clock: FakeClock;
let tracked: TrackedTorrent;
let sender: PieceSender;
let changes: number;

beforeEach(() => {
  clock = new FakeClock();
  changes = 0;
  const fields = { hash: torrentId, name: "film", progress: 1, state: "stalledUP", tags: "", size: 40_000 };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of a torrent that is looked at
  tracked = new TrackedTorrent(fields as Torrent);
  const description = TorrentDescription.fromPartial({ torrentId });
  const layout = readLayout(made.torrent);
  const described = {
    description,
    torrent: made.torrent,
    digest: Buffer.alloc(0),
    layout,
    names: ["film/a"],
  };
  tracked.take(described, ["/data"], 0);
  tracked.progress?.setNeeded(allPieces(3));
  tracked.isOpen = true;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing is sent: the destination is away
  const link = { terms: undefined, freeLane: () => undefined } as unknown as Link;
  sender = new PieceSender(link, {
    torrents: new Map([[torrentId, tracked]]),
    tags: { synced: "", syncFailed: "", excludeSync: "" },
    numSenders: 1,
    windowBytes: 1e6,
    pieceTimeoutMs: 1000,
    limits: { all: new TokenBucket(0, clock), backlog: new TokenBucket(0, clock) },
    clock,
    signal: new AbortController().signal,
    on: { sent() {}, answered() {}, unreadable() {}, stale() {}, changed: () => (changes += 1) },
  });
});

const hear = (outcome: Outcome, detail = "", pieces = [0]): void =>
  sender.hear({ pieces: [{ torrentId, pieces, outcome, detail }], pauses: [] });

/** Which pieces may be sent now. */
function ready(): number[] {
  const pieces: number[] = [];
  tracked.progress?.wakePutOff(clock.monotonic());
  for (let piece = tracked.progress?.first(); piece !== undefined; piece = tracked.progress?.first()) {
    pieces.push(piece);
    tracked.progress?.begin(piece);
  }
  for (const piece of pieces) tracked.progress?.comeBack(piece, clock.monotonic());
  tracked.progress?.wakePutOff(clock.monotonic());
  return pieces;
}

test.each([
  ["written", Outcome.WRITTEN, [1, 2]],
  ["not wanted", Outcome.NOT_WANTED, [1, 2]],
])("a piece that is %s there is not sent again", (_, outcome, left) => {
  tracked.progress?.begin(0);
  hear(outcome);
  expect(ready()).toEqual(left);
  expect(changes).toBe(1);
});

test.each([
  ["was received", Outcome.RECEIVED],
  ["came over another stream", Outcome.SUPERSEDED],
  ["is answered with nothing", Outcome.UNSPECIFIED],
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an answer of a later version of the protocol
  ["is answered in words that are not known here", 99 as Outcome],
])("a piece that %s is still on its way", (_, outcome) => {
  tracked.progress?.begin(0);
  hear(outcome);
  expect(tracked.progress?.inFlightCount).toBe(1);
  expect(ready()).toEqual([1, 2]);
});

test("a piece that could not be made durable is sent again five seconds later", async () => {
  tracked.progress?.begin(0);
  hear(Outcome.FAILED);
  await clock.advance(4999);
  expect(ready()).toEqual([1, 2]);
  await clock.advance(2);
  expect(ready()).toEqual([0, 1, 2]);
});

test("a torrent that waits there is closed here, to be opened again, and waits as long as it is told, with why", async () => {
  tracked.progress?.begin(0);
  hear(Outcome.PAUSED);
  expect(tracked).toMatchObject({ isOpen: false, isPaused: true });
  expect(tracked.progress?.inFlightCount).toBe(0);
  const pause = { reason: Pause_Reason.SPACE, detail: "the disk is full", retryAfterMs: 9000 };
  sender.hear({
    pieces: [],
    pauses: [
      { torrentId: "unknown", pause },
      { torrentId, pause },
    ],
  });
  const obstacle = () => tracked.obstacle({ synced: "", syncFailed: "", excludeSync: "" }, clock.monotonic());
  await clock.advance(8000);
  expect(obstacle()).toBe("the destination waits: the disk is full");
  await clock.advance(1001);
  expect(obstacle()).toBeUndefined();
  sender.hear({ pieces: [], pauses: [{ torrentId, pause }] });
  sender.hear({ pieces: [], pauses: [{ torrentId, pause: undefined }] });
  expect(obstacle()).toBeUndefined();
});

test("answers about torrents and pieces that there are not change nothing", () => {
  hear(Outcome.DURABLE, "", [3, 4_000_000_000]);
  sender.hear({
    pieces: [{ torrentId: "unknown", pieces: [0], outcome: Outcome.DURABLE, detail: "" }],
    pauses: [],
  });
  expect(ready()).toEqual([0, 1, 2]);
  expect(tracked.progress?.neededCount).toBe(3);
});

test("a piece that is refused five times is not sent again, and the torrent says why", () => {
  for (let time = 1; time <= 5; time += 1) {
    expect(tracked.failure).toBeUndefined();
    hear(Outcome.REFUSED, "too many");
  }
  expect(tracked.failure).toBe("the destination refused piece 0 5 times: too many");
});
