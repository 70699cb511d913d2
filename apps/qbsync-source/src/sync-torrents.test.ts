import type { Torrent } from "@qbit-sidecars/qbit-client";
import { QbitConflictError, QbitNotFoundError } from "@qbit-sidecars/qbit-client";
import {
  type AbortResponse,
  FinalizeResponse,
  FinalizeResponse_Step as Step,
  OpenResponse,
  Pause_Reason,
  Phase,
  PieceAnswer_Outcome as Outcome,
  Refusal_Reason as Reason,
  TorrentDescription,
  TorrentState,
} from "@qbit-sidecars/qbsync-protocol";
import { LayoutError, PieceSet, readLayout } from "@qbit-sidecars/qbsync-protocol/layout";
import type { Logger } from "@qbit-sidecars/service";
import { FakeClock, makeTorrent } from "@qbit-sidecars/testing";
import { beforeEach, expect, test } from "vitest";
import type { Described } from "./describe-torrent.ts";
import { syncPlan } from "./plan-report.ts";
import { settle } from "./settle-answer.ts";
import type { Destination, Source } from "./carry-torrent.ts";
import { TorrentSync } from "./sync-torrents.ts";
import { allPieces, TrackedTorrent } from "./tracked-torrent.ts";

const made = makeTorrent({
  version: "v1",
  name: "film",
  pieceLength: 16_384,
  files: [{ path: "a", size: 40_000 }],
});
const id = made.torrentId;
const tags = { synced: "synced", syncFailed: "sync-failed", excludeSync: "mine" };
const digest = Buffer.from("digest");
const never = new AbortController().signal;

let clock: FakeClock;
let lines: string[];
let warnings: string[];
let outcomes: string[];
let tagged: string[];
let untagged: string[];
let torrent: Torrent;
let tracked: TrackedTorrent;
let source: Source;
let there: Destination;
let opened: TorrentDescription[];

beforeEach(() => {
  clock = new FakeClock();
  [lines, warnings, outcomes, tagged, untagged, opened] = [[], [], [], [], [], []];
  const fields = {
    hash: id,
    name: "film",
    progress: 1,
    state: "stalledUP",
    tags: "",
    size: 40_000,
    completed: 40_000,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of a torrent that is looked at
  torrent = fields as Torrent;
  tracked = new TrackedTorrent(torrent);
  source = {
    describe: async () => ({ described: describedAs(), folders: ["/data"] }),
    addTag: async (_, tag) => void tagged.push(tag),
    removeTag: async (_, tag) => void untagged.push(tag),
  };
  there = {
    open: async (description) => {
      opened.push(description);
      return { result: { $case: "state", state: stateOf({ needed: [0, 1, 2] }) } };
    },
    look: async () => stateOf({ needed: [0, 1, 2] }),
    finalize: async () => FinalizeResponse.fromPartial({ step: Step.FINISHED }),
    abort: async (): Promise<AbortResponse> => ({ aborted: true, filesDeleted: 1, detail: "" }),
  };
});

function describedAs(change: Partial<TorrentDescription> = {}): Described {
  const description = TorrentDescription.fromPartial({ torrentId: id, name: "film", ...change });
  const layout = readLayout(made.torrent);
  return { description, torrent: made.torrent, digest, layout, names: ["film/a"] };
}

function stateOf({ needed = [], ...more }: { needed?: number[] } & Partial<Omit<TorrentState, "needed">>) {
  const pieces = new PieceSet(3);
  for (const piece of needed) pieces.add(piece);
  return TorrentState.fromPartial({
    torrentId: id,
    phase: Phase.RECEIVING,
    pieceCount: 3,
    descriptionDigest: digest,
    durable: new PieceSet(3).toBytes(),
    needed: pieces.toBytes(),
    neededCount: needed.length,
    ...more,
  });
}

function syncOf(change: { dryRun?: boolean; isAway?: boolean } = {}): TorrentSync {
  const log = (...said: unknown[]) => void lines.push(String(said.at(-1)));
  const warn = (...said: unknown[]) => void warnings.push(String(said.at(-1)));
  return new TorrentSync({
    torrents: new Map([[id, tracked]]),
    source,
    destination: () => (change.isAway ? undefined : there),
    tags,
    dryRun: change.dryRun ?? false,
    goneForMs: 1000,
    doubtEveryMs: 30_000,
    clock,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is called
    log: { info: log, debug: log, warn } as unknown as Logger,
    onPieces() {},
    onOutcome: (outcome) => outcomes.push(outcome),
  });
}

const plan = (change: { isConnected?: boolean; dryRun?: boolean } = {}) =>
  syncPlan(tracked, {
    tags,
    now: clock.monotonic(),
    goneForMs: 1000,
    isConnected: true,
    dryRun: false,
    ...change,
  });

/** As if all of it had been sent and had become durable. */
const deliver = (): void => tracked.progress?.setNeeded(new PieceSet(3));

test("a torrent is described, opened, delivered, finished and tagged, and /plan tells each of these", async () => {
  const sync = syncOf();
  expect(plan()).toEqual({ plan: "sync", why: "its .torrent and its files are going to be read" });
  tracked.take(describedAs(), ["/data"], clock.monotonic());
  expect(plan()).toEqual({ plan: "sync", why: "it is going to be opened at the destination" });
  await sync.step(never);
  expect(opened).toHaveLength(1);
  expect(plan().why).toBe("3 of 3 pieces are missing there, and 3 of them can be sent now");
  deliver();
  expect(plan().why).toBe("all of it is there: the destination finishes it");
  await sync.step(never);
  expect([outcomes, tagged]).toEqual([["synced"], ["synced"]]);
  expect(plan()).toEqual({ plan: "done", why: "complete at the destination" });
});

const pausedFor = (reason: Pause_Reason, needed: number[] = []) =>
  stateOf({ needed, phase: Phase.PAUSED, pause: { reason, retryAfterMs: 30_000, detail: "for film.bin" } });

test("what the destination lets wait is asked for again after that, and what is needed then is sent", async () => {
  const sync = syncOf();
  let looks = 0;
  there.open = async () => ({
    result: { $case: "state", state: pausedFor(Pause_Reason.SAME_FILES, [0, 1, 2]) },
  });
  there.look = async () => {
    looks += 1;
    return stateOf({ needed: [1] });
  };
  await sync.step(never);
  expect(plan()).toEqual({ plan: "wait", why: "the destination waits: for film.bin" });
  expect(tracked.isOpen).toBe(false);
  await clock.advance(29_000);
  await sync.step(never);
  expect(looks).toBe(0);
  await clock.advance(1001);
  await sync.step(never);
  expect(plan().why).toBe("1 of 3 pieces are missing there, and 1 of them can be sent now");
});

const inTheWay = stateOf({ phase: Phase.FAILED, needed: [1], detail: "film/a is there already" });

test("a torrent that the destination cannot go on with is tagged, and goes on when the destination does", async () => {
  const sync = syncOf();
  await sync.step(never);
  there.look = async () => inTheWay;
  settle(tracked, 0, { outcome: Outcome.FAILED, detail: "film/a is there already", now: clock.monotonic() });
  await sync.step(never);
  expect([outcomes, tagged]).toEqual([["failed"], ["sync-failed"]]);
  const failed = { plan: "leave", why: "the destination cannot go on with it: film/a is there already" };
  expect(plan()).toEqual(failed);
  torrent.tags = "sync-failed";
  await clock.advance(31_000);
  await sync.step(never);
  expect(plan()).toEqual(failed);
  there.look = async () => stateOf({ needed: [1] });
  await clock.advance(31_000);
  await sync.step(never);
  expect(untagged).toEqual(["sync-failed"]);
  torrent.tags = "";
  await sync.step(never);
  expect(plan().why).toBe("1 of 3 pieces are missing there, and 1 of them can be sent now");
  expect(outcomes).toEqual(["failed"]);
});

test("a destination that is still looking has not got over it", async () => {
  const sync = syncOf();
  sync.connected([inTheWay]);
  there.look = async () => pausedFor(Pause_Reason.CHECKING, [1]);
  torrent.tags = "sync-failed";
  await clock.advance(31_000);
  await sync.step(never);
  expect(untagged).toEqual([]);
  expect(plan().plan).toBe("leave");
});

test("a tag that an earlier life put on, taken off, makes the torrent be tried again, and asked how it is until that is known", async () => {
  torrent.tags = "sync-failed";
  const sync = syncOf();
  sync.connected([inTheWay]);
  torrent.tags = "";
  await clock.advance(6000);
  there.open = async (description) => {
    opened.push(description);
    return { result: { $case: "state", state: pausedFor(Pause_Reason.CHECKING, [1]) } };
  };
  there.look = async () => inTheWay;
  await sync.step(never);
  await clock.advance(251);
  await sync.step(never);
  expect(opened).toHaveLength(1);
  expect(tagged).toEqual(["sync-failed"]);
});

test("what is all there is finished, and not dropped, when it is removed here while the destination waits", async () => {
  const sync = syncOf();
  await sync.step(never);
  deliver();
  tracked.pause();
  tracked.goneSince = clock.monotonic();
  await clock.advance(1001);
  await sync.step(never);
  expect(outcomes).toEqual(["synced"]);
});

test("what is still downloading is told as such, and is not finished", async () => {
  Object.assign(torrent, { progress: 0.5, state: "downloading" });
  const sync = syncOf();
  await sync.step(never);
  tracked.progress?.setAvailable(allPieces(3));
  deliver();
  expect(plan().why).toBe("all that qBittorrent has is there; the rest is still being downloaded");
  await sync.step(never);
  expect(outcomes).toEqual([]);
});

test("/plan says what keeps a torrent from being synced", async () => {
  expect(plan({ isConnected: false })).toEqual({ plan: "wait", why: "the destination is away" });
  expect(plan({ dryRun: true })).toEqual({ plan: "leave", why: "dry run: it would be synced" });
  torrent.state = "moving";
  expect(plan()).toEqual({ plan: "wait", why: "moving in qBittorrent" });
  torrent.state = "stalledUP";
  torrent.tags = "other, mine";
  expect(plan()).toEqual({ plan: "leave", why: "tagged mine" });
  torrent.tags = "sync-failed";
  expect(plan()).toEqual({ plan: "leave", why: "tagged sync-failed" });
  tracked.failure = "it is broken";
  expect(plan()).toEqual({ plan: "leave", why: "it is broken" });
  tracked.goneSince = 0;
  expect(plan().plan).toBe("done");
  tracked.isKnownThere = true;
  expect(plan()).toEqual({ plan: "drop", why: expect.stringContaining("is deleted 1 s after that") });
  expect(plan({ dryRun: true })).toEqual({ plan: "leave", why: expect.stringContaining("dry run: gone") });
});

test.each<[string, Error]>([
  ["has no metadata yet", new LayoutError("no metadata yet", "incomplete")],
  ["is being changed", new QbitConflictError("busy", { status: 409, excerpt: "" })],
  ["is gone", new QbitNotFoundError("gone", { status: 404, excerpt: "" })],
])("a torrent that %s waits, and is asked for again five seconds later", async (_, error) => {
  let asked = 0;
  source.describe = async () => {
    asked += 1;
    throw error;
  };
  const sync = syncOf();
  await sync.step(never);
  expect(plan()).toEqual({ plan: "wait", why: error.message });
  await sync.step(never);
  expect(asked).toBe(1);
  await clock.advance(5001);
  await sync.step(never);
  expect(asked).toBe(2);
  expect(tagged).toEqual([]);
});

test("a torrent that no destination could take is tagged for a person, and tried anew when the tag is taken off", async () => {
  source.describe = async () => {
    throw new LayoutError("a name leads out of the folder");
  };
  const sync = syncOf();
  await sync.step(never);
  expect([outcomes, tagged]).toEqual([["failed"], ["sync-failed"]]);
  expect(plan()).toEqual({ plan: "leave", why: "a name leads out of the folder" });
  torrent.tags = "sync-failed";
  await clock.advance(6000);
  source.describe = async () => ({ described: describedAs(), folders: ["/data"] });
  await sync.step(never);
  expect(opened).toEqual([]);
  torrent.tags = "";
  await sync.step(never);
  expect(opened).toHaveLength(1);
});

test.each([
  [Reason.INVALID, true],
  [Reason.CONFLICT, true],
  [Reason.BUSY, false],
  [Reason.TOO_MANY, false],
])("a refusal (%s) is final: %s", async (reason, isFinal) => {
  let retryAfterMs = 0;
  there.open = async (description) => {
    opened.push(description);
    return OpenResponse.fromPartial({
      result: { $case: "refusal", refusal: { reason, detail: "not like this", retryAfterMs } },
    });
  };
  const sync = syncOf();
  await sync.step(never);
  expect(tagged).toEqual(isFinal ? ["sync-failed"] : []);
  expect(plan()).toMatchObject({
    plan: isFinal ? "leave" : "wait",
    why: expect.stringContaining("not like this"),
  });
  if (isFinal) return;
  retryAfterMs = 2000;
  await clock.advance(59_000);
  await sync.step(never);
  expect(opened).toHaveLength(1);
  await clock.advance(2000);
  await sync.step(never);
  expect(opened).toHaveLength(2);
  await clock.advance(2001);
  await sync.step(never);
  expect(opened).toHaveLength(3);
});

test("a destination that has lost the .torrent is sent it", async () => {
  tracked.isKnownThere = true;
  there.open = async (description) => {
    opened.push(description);
    const refusal = { reason: Reason.TORRENT_NEEDED };
    return description.torrent.length === 0
      ? OpenResponse.fromPartial({ result: { $case: "refusal", refusal } })
      : { result: { $case: "state", state: stateOf({}) } };
  };
  await syncOf().step(never);
  expect(opened.map(({ torrent: bytes }) => bytes.length > 0)).toEqual([false, true]);
  expect(lines).toContain("film: all pieces are there");
});

test("an answer that is empty, or about another description, is no consent", async () => {
  there.open = async () => ({ result: undefined });
  await syncOf().step(never);
  expect(plan().why).toContain("the destination's answer about film is empty");
  await clock.advance(5001);
  there.open = async () => ({
    result: {
      $case: "state",
      state: stateOf({ descriptionDigest: Buffer.from("other"), detail: "another one" }),
    },
  });
  await syncOf().step(never);
  expect(plan()).toEqual({ plan: "wait", why: "the destination does not take it: another one" });
});

test("a finish that fails is tried three times before a person is asked", async () => {
  there.finalize = async () =>
    FinalizeResponse.fromPartial({ step: Step.FAILED, detail: "no such category" });
  const sync = syncOf();
  await sync.step(never);
  deliver();
  for (const times of [1, 2, 3]) {
    expect(tagged).toEqual([]);
    await sync.step(never);
    await clock.advance(times < 3 ? 5001 : 0);
    deliver();
  }
  expect(tagged).toEqual(["sync-failed"]);
  expect(plan().why).toBe("it could not be finished at the destination: no such category");
});

test("while the destination is still at it, it is asked again when it says, or half a second later", async () => {
  let asked = 0;
  let retryAfterMs = 0;
  there.finalize = async () => {
    asked += 1;
    return FinalizeResponse.fromPartial({ step: Step.CHECKING, detail: "40 %", retryAfterMs });
  };
  const sync = syncOf();
  await sync.step(never);
  deliver();
  await sync.step(never);
  expect(plan()).toEqual({ plan: "wait", why: "40 %" });
  retryAfterMs = 3000;
  await clock.advance(501);
  await sync.step(never);
  await clock.advance(501);
  await sync.step(never);
  expect(asked).toBe(2);
  await clock.advance(2500);
  await sync.step(never);
  expect(asked).toBe(3);
});

test.each([
  [Step.INCOMPLETE, 1],
  [Step.NOT_OPEN, 2],
])("what is not whole there after all (%s) is sent again", async (step, opens) => {
  const sync = syncOf();
  await sync.step(never);
  deliver();
  there.finalize = async () => FinalizeResponse.fromPartial({ step, state: stateOf({ needed: [1] }) });
  await sync.step(never);
  expect(opened).toHaveLength(opens);
  expect(tracked.progress?.neededCount).toBe(opens === 1 ? 1 : 3);
  expect(outcomes).toEqual([]);
});

test("what is gone is dropped at the destination after its time, unless that keeps it", async () => {
  const kept = { aborted: false, filesDeleted: 0, detail: "it is finished" };
  for (const [answer, said] of [
    [{ aborted: true, filesDeleted: 2, detail: "" }, "what the destination had of it was dropped"],
    [kept, "the destination keeps it: it is finished"],
  ] as const) {
    there.abort = async () => answer;
    tracked.isKnownThere = true;
    tracked.isFinished = false;
    tracked.goneSince = clock.monotonic();
    const sync = syncOf();
    await sync.step(never);
    expect(lines.filter((line) => line.includes(said))).toEqual([]);
    await clock.advance(1001);
    await sync.step(never);
    expect(lines).toContain(`film was removed from qBittorrent; ${said}`);
  }
});

test("a dry run says once what it would do", async () => {
  const sync = syncOf({ dryRun: true });
  await sync.step(never);
  await sync.step(never);
  expect(lines).toEqual(["dry run: film would be synced"]);
  expect([opened, tagged, outcomes]).toEqual([[], [], []]);
});

test("another selection is told, also when all of what was selected before is finished", async () => {
  const sync = syncOf();
  await sync.step(never);
  deliver();
  await sync.step(never);
  expect(outcomes).toEqual(["synced"]);
  torrent.tags = "synced";
  source.describe = async () => ({ described: describedAs({ unselectedFiles: [0] }), folders: ["/data"] });
  await clock.advance(31_000);
  await sync.step(never);
  expect(lines).toContain("film was changed in qBittorrent");
  expect(opened.at(-1)?.unselectedFiles).toEqual([0]);
});

test("while the destination is away nothing is asked of it, and a reconnect begins from what it tells", async () => {
  const away = syncOf({ isAway: true });
  await away.step(never);
  expect(opened).toEqual([]);
  tracked.hold = { reason: "later", until: 1e9 };
  away.connected([stateOf({ phase: Phase.FINISHED })]);
  expect(plan()).toEqual({ plan: "done", why: "complete at the destination" });
  away.connected([]);
  expect(tracked).toMatchObject({ isFinished: false, isKnownThere: false, isOpen: false, hold: undefined });
});

test("what goes wrong is said once for each reason, however often it is tried", async () => {
  there.open = async () => {
    throw new Error("the disk is on fire");
  };
  const sync = syncOf();
  for (let tries = 0; tries < 3; tries += 1) {
    await sync.step(never);
    await clock.advance(5001);
  }
  expect(warnings).toEqual(["film waits: the disk is on fire"]);
  expect(lines).toEqual(["film waits: the disk is on fire", "film waits: the disk is on fire"]);
});
