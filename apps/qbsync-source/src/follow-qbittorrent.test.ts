import type { MaindataChange, Torrent } from "@qbit-sidecars/qbit-client";
import { FakeClock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { QbittorrentFollower } from "./follow-qbittorrent.ts";

const minuteMs = 60_000;

/** A follower of a qBittorrent that tells these changes, one at each step, and then none. */
function following(changes: Partial<MaindataChange>[]) {
  const clock = new FakeClock();
  const none = { added: [], changed: [], removed: [], full: false };
  const follower = new QbittorrentFollower({
    watched: {
      nextPollMs: 1000,
      poll: async () => ({ ...none, ...changes.shift() }),
      pieceStates: async () => [],
    },
    torrents: new Map(),
    clock,
    onChange() {},
    onPieces() {},
  });
  const look = async (): Promise<void> => {
    follower.hurry();
    await follower.step(new AbortController().signal);
  };
  return { clock, follower, look };
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is read of one without metadata
const torrent = (hash: string) => ({ hash, state: "metaDL", size: -1, has_metadata: false }) as Torrent;

test("a qBittorrent that goes on loading is not taken for one that has loaded all", async () => {
  const { clock, follower, look } = following([
    { full: true },
    ...["a", "b", "c"].map((hash) => ({ added: [torrent(hash)] })),
  ]);
  await look();
  for (let times = 0; times < 3; times += 1) {
    await clock.advance(4 * minuteMs);
    expect(follower.isLoaded).toBe(false);
    await look();
  }
  await clock.advance(4 * minuteMs);
  expect(follower.isLoaded).toBe(false);
  await clock.advance(minuteMs);
  expect(follower.isLoaded).toBe(true);
});

test("torrents that people add all the time are no loading without end", async () => {
  const added = Array.from({ length: 20 }, (_, at) => ({ added: [torrent(String(at))] }));
  const { clock, follower, look } = following([{ full: true }, ...added]);
  await look();
  for (let times = 0; times < 15; times += 1) {
    await clock.advance(4 * minuteMs);
    await look();
  }
  expect(follower.isLoaded).toBe(true);
});
