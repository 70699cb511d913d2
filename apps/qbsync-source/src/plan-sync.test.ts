import type { Torrent } from "@qbit-sidecars/qbit-client";
import { makeTorrent } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { describeTorrent } from "./describe-torrent.ts";
import { nextAction } from "./plan-sync.ts";
import { TrackedTorrent } from "./tracked-torrent.ts";

const made = makeTorrent({ version: "v1", files: [{ path: "a", size: 100 }] });
const tags = { synced: "synced", syncFailed: "sync-failed", excludeSync: "mine" };

/** A torrent that is complete here, described, and open at the destination, which has all of it. */
function delivered(fields: Partial<Torrent> = {}): TrackedTorrent {
  const torrent = {
    hash: made.torrentId,
    name: "a",
    state: "stalledUP",
    progress: 1,
    tags: "",
    category: "",
    save_path: "/d",
    ...fields,
  } as Torrent;
  const tracked = new TrackedTorrent(torrent);
  const files = [{ index: 0, name: "a", size: 100, progress: 1, priority: 1 }];
  const described = describeTorrent({ torrent, files, exported: made.torrent, savePath: "/d", ownTags: [] });
  tracked.take(described, ["/d"], 0);
  tracked.isOpen = true;
  return tracked;
}

const decide = (tracked: TrackedTorrent, { now = 0, isConnected = true } = {}) =>
  nextAction(tracked, { tags, now, goneForMs: 1000, isConnected });

describe("what is done next for a torrent", () => {
  test("that is all there: it is finalized, after another look if the last one is old", () => {
    expect(decide(delivered())).toBe("finalize");
    expect(decide(delivered(), { now: 60_000 })).toBe("describe");
  });

  test("that still downloads, is being moved, or waits: nothing", () => {
    expect(decide(delivered({ state: "downloading", progress: 0.5 }))).toBeUndefined();
    expect(decide(delivered({ state: "moving" }))).toBeUndefined();
    const waiting = delivered();
    waiting.hold = { reason: "the disk is full", until: 10 };
    expect(decide(waiting)).toBeUndefined();
    expect(decide(waiting, { now: 11 })).toBe("finalize");
  });

  test("that the destination does not have open: it is opened, unless the destination is away", () => {
    const tracked = delivered();
    tracked.isOpen = false;
    expect(decide(tracked)).toBe("open");
    expect(decide(tracked, { isConnected: false })).toBeUndefined();
  });

  test("that is finished: it is tagged, until it has the tag, also while the destination is away", () => {
    const tracked = delivered();
    tracked.isFinished = true;
    tracked.isSureThere = true;
    expect(decide(tracked, { isConnected: false })).toBe("tagSynced");
    tracked.taggedAt.set("synced", 0);
    expect(decide(tracked, { now: 100 })).toBeUndefined();
    expect(decide(tracked, { now: 10_000 })).toBe("tagSynced");
    const tagged = delivered({ tags: "x, synced" });
    tagged.isFinished = true;
    expect(decide(tagged)).toBeUndefined();
  });

  test("that was finished once and has no tag: the destination is asked whether it still is, before it is tagged", () => {
    const tracked = delivered();
    tracked.isFinished = true;
    expect(decide(tracked)).toBe("open");
    expect(decide(tracked, { isConnected: false })).toBeUndefined();
    tracked.isStale = true;
    expect(decide(tracked)).toBe("describe");
    const excluded = delivered({ tags: "mine" });
    excluded.isFinished = true;
    expect(decide(excluded)).toBeUndefined();
  });

  test("that failed: it is tagged; when the tag is taken off it is forgiven", () => {
    const tracked = delivered();
    tracked.failure = "broken";
    expect(decide(tracked)).toBe("tagFailed");
    tracked.taggedAt.set("sync-failed", 0);
    expect(decide(tracked, { now: 100 })).toBeUndefined();
    expect(decide(tracked, { now: 10_000 })).toBe("forgive");
    tracked.forgive();
    expect(decide(tracked)).toBe("open");
  });

  test.each(["mine", "sync-failed"])("that has the tag %s: nothing", (tag) => {
    expect(decide(delivered({ tags: tag }))).toBeUndefined();
  });

  test("that is gone from qBittorrent: it is dropped there, but not at once and not while nobody can be told", () => {
    const tracked = delivered({ state: "downloading", progress: 0.5 });
    tracked.goneSince = 0;
    expect(decide(tracked, { now: 999 })).toBeUndefined();
    expect(decide(tracked, { now: 1000, isConnected: false })).toBeUndefined();
    expect(decide(tracked, { now: 1000 })).toBe("abort");
    tracked.hold = { reason: "the destination did not answer", until: 2000 };
    expect(decide(tracked, { now: 1000 })).toBeUndefined();
  });

  test("that is gone and was all there: it is finished there rather than thrown away, unless that fails", () => {
    const tracked = delivered();
    tracked.goneSince = 0;
    expect(decide(tracked, { now: 1000 })).toBe("finalize");
    tracked.failure = "broken";
    expect(decide(tracked, { now: 1000 })).toBe("abort");
    tracked.failure = undefined;
    tracked.isFinished = true;
    expect(decide(tracked, { now: 1000 })).toBe("abort");
  });
});
