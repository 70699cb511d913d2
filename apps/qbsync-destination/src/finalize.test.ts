import {
  FinalizeResponse_Step as Step,
  readLayout,
  TorrentDescription,
  TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import type { Logger } from "@qbit-sidecars/service";
import { FakeClock, makeTorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { Finalizer, type Seeder } from "./finalize.ts";
import type { Seen } from "./plan-adding.ts";
import type { StoredTorrent } from "./stored-torrent.ts";

const made = makeTorrent({ version: "v1", name: "t", files: [{ path: "a", size: 10 }] });

/** A torrent that is complete, before a qBittorrent that checks without end. */
function stage({ pollIntervalMs = 2000, pollTimeoutMs = 300_000 }) {
  const looks: number[] = [];
  const clock = new FakeClock();
  const layout = readLayout(made.torrent);
  const torrent = {
    id: made.torrentId,
    layout,
    description: TorrentDescription.fromPartial({ torrent: made.torrent }),
    unselected: new Set<number>(),
    isComplete: true,
    isClosed: false,
    failure: undefined as string | undefined,
    files: { isPlaced: () => true, isChanged: async () => false, sync: async () => {} },
    flush: async () => {},
    placeFiles: async () => {},
    lose: async () => {},
    setFinalizing: () => {},
    fail(why: string) {
      this.failure = why;
    },
  };
  const seen: Seen = { state: "checkingDL", progress: 0.5, tags: [], files: [] };
  const seeder = {
    async look() {
      looks.push(clock.now());
      return seen;
    },
  } as unknown as Seeder;
  const finalizer = new Finalizer({
    store: {
      get: () => torrent as unknown as StoredTorrent,
      isFinished: () => false,
      state: () => TorrentState.fromPartial({}),
      finish: async () => {},
    },
    seeder,
    savePath: "/d",
    syncedTag: "synced",
    verify: "changed",
    pollIntervalMs,
    pollTimeoutMs,
    clock,
    log: { info() {}, warn() {} } as unknown as Logger,
    signal: new AbortController().signal,
    onHashed: () => {},
    onFinished: () => {},
  });
  const ask = () =>
    finalizer.finalize({ torrentId: made.torrentId, waitMs: 0 }, new AbortController().signal);
  return { ask, looks, clock, seen, torrent };
}

test("qBittorrent is asked every poll interval", async () => {
  const { ask, looks, clock } = stage({ pollIntervalMs: 7000 });
  void ask();
  await clock.advanceUntil(() => looks.length === 4, { what: "four looks" });
  expect(looks.map((at) => at - looks[0]!)).toEqual([0, 7000, 14_000, 21_000]);
});

test("the poll timeout counts from the last progress, however long all of it takes", async () => {
  const { ask, looks, clock, seen, torrent } = stage({ pollIntervalMs: 1000, pollTimeoutMs: 5000 });
  void ask();
  for (let percent = 51; percent < 60; percent += 1) {
    const before = looks.length;
    await clock.advanceUntil(() => looks.length === before + 4, { what: "four looks" });
    expect(torrent.failure).toBeUndefined();
    seen.progress = percent / 100;
  }
  await clock.advanceUntil(() => torrent.failure !== undefined, { what: "it to fail" });
  expect(torrent.failure).toContain("no progress for 5 s");
  expect(await ask()).toMatchObject({ step: Step.FAILED, detail: torrent.failure });
});
