import {
  FinalizeResponse_Step as Step,
  readLayout,
  TorrentDescription,
  TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import { QbitUnreachableError } from "@qbit-sidecars/qbit-client";
import type { Logger } from "@qbit-sidecars/service";
import { FakeClock, makeTorrent } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { Finalizer, type Seeder } from "./finalize.ts";
import type { Seen } from "./plan-adding.ts";
import type { StoredTorrent } from "./stored-torrent.ts";

const made = makeTorrent({ version: "v1", name: "t", files: [{ path: "a", size: 10 }] });

/** A torrent that is complete, before a qBittorrent that checks without end. */
function stage({ pollIntervalMs = 2000, pollTimeoutMs = 300_000, syncedTag = "synced" }) {
  const looks: number[] = [];
  const troubles: string[] = [];
  const done: string[] = [];
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
    diskError(error: Error) {
      troubles.push(error.message);
    },
  };
  const seen: Seen = { state: "checkingDL", progress: 0.5, tags: [], files: [] };
  const does = (what: string) => async () => void done.push(what);
  const qbittorrent = {
    look: async (): Promise<Seen | undefined> => seen,
    add: async (): Promise<string | undefined> => undefined,
  };
  const seeder = {
    look: () => {
      looks.push(clock.now());
      return qbittorrent.look();
    },
    add: () => qbittorrent.add(),
    stop: does("stop"),
    select: does("select"),
    renameFile: does("rename"),
    recheck: does("recheck"),
    addTags: async (_: string, tags: string[]) => void done.push(`tag ${tags.join()}`),
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
    syncedTag,
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
  return { ask, looks, clock, seen, torrent, qbittorrent, troubles, done };
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

test("a qBittorrent that is away, or refuses the torrent, is told to the source and asked again", async () => {
  const { ask, clock, qbittorrent, looks } = stage({ pollIntervalMs: 1000 });
  qbittorrent.look = () =>
    Promise.reject(new QbitUnreachableError("connection refused", { reason: "refused" }));
  void ask();
  await clock.advanceUntil(() => looks.length === 2, { what: "two looks" });
  expect(await answerOf(ask, clock)).toMatchObject({
    step: Step.QBITTORRENT_AWAY,
    detail: "connection refused",
  });
  qbittorrent.look = async () => undefined;
  qbittorrent.add = async () => "it has no room";
  await clock.advanceUntil(() => looks.length === 4, { what: "four looks" });
  expect(await answerOf(ask, clock)).toMatchObject({ detail: "adding the torrent: it has no room" });
});

test("a torrent that runs in qBittorrent is stopped, and without --synced-tag none is put on", async () => {
  const { ask, clock, seen, done, torrent } = stage({ pollIntervalMs: 1000, syncedTag: "" });
  Object.assign(seen, { state: "downloading", progress: 0, files: [{ path: "t/a", isSelected: true }] });
  void ask();
  await clock.advanceUntil(() => done.length > 0, { what: "it to be stopped" });
  expect(done[0]).toBe("stop");
  Object.assign(seen, { state: "stoppedUP", progress: 1 });
  await clock.advanceUntil(() => clock.sleeping === 0 || done.length > 3, { what: "it to end" });
  expect(done.filter((one) => one.startsWith("tag"))).toEqual([]);
  expect(torrent.failure).toBeUndefined();
});

test("a disk that fails while it is finished pauses the torrent; one that was aborted meanwhile is left alone", async () => {
  for (const isClosed of [false, true]) {
    const { ask, clock, torrent, troubles } = stage({});
    let began = false;
    torrent.placeFiles = async () => {
      began = true;
      Object.assign(torrent, { isClosed, isComplete: false });
      throw new Error("EIO");
    };
    void ask();
    await clock.advanceUntil(() => began, { what: "it to begin" });
    expect(await answerOf(ask, clock)).toMatchObject({ step: Step.INCOMPLETE });
    expect(troubles).toEqual(isClosed ? [] : ["EIO"]);
  }
});

test("a file that cannot get its name is a failure that is told, and qBittorrent is not asked", async () => {
  const { ask, clock, torrent, looks } = stage({});
  torrent.placeFiles = async () => torrent.fail("t/a is there already");
  void ask();
  await clock.advanceUntil(() => torrent.failure !== undefined, { what: "it to fail" });
  expect(await answerOf(ask, clock)).toMatchObject({ step: Step.FAILED, detail: "t/a is there already" });
  expect(looks).toEqual([]);
});

/** What is answered at once, without waiting. */
async function answerOf<T>(ask: () => Promise<T>, clock: FakeClock): Promise<T> {
  let answer: { is: T } | undefined;
  void ask().then((is) => (answer = { is }));
  await clock.advanceUntil(() => answer !== undefined, { what: "the answer", withinMs: 0 });
  return answer!.is;
}
