import { HandOffRecord_Step as Step, Phase, TorrentState } from "@qbit-sidecars/qbsync-protocol";
import { beforeEach, expect, test } from "vitest";
import { RemovedWhileAway } from "./removed-while-away.ts";
import type { TrackedTorrent } from "./tracked-torrent.ts";

let told: string[];
let lines: string[];
let isLoaded: boolean;
let isReachable: boolean;
let torrents: Map<string, TrackedTorrent>;

beforeEach(() => {
  [told, lines, isLoaded, isReachable] = [[], [], true, true];
  torrents = new Map();
});

/** With these in qBittorrent. */
function removedWith(listed: readonly string[], change: { sourceName?: string; dryRun?: boolean } = {}) {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only whether it is there is looked at
  for (const id of listed) torrents.set(id, {} as TrackedTorrent);
  const say = (...said: unknown[]) => void lines.push(String(said.at(-1)));
  return new RemovedWhileAway({
    torrents,
    sourceName: "box",
    dryRun: false,
    isLoaded: () => isLoaded,
    tellRemoved: async (id) => {
      if (!isReachable || id === "broken") throw new Error("the destination is away");
      told.push(id);
    },
    log: { info: say, warn: say },
    ...change,
  });
}

const state = (torrentId: string, change: Partial<TorrentState> = {}) =>
  TorrentState.fromPartial({ torrentId, phase: Phase.FINISHED, sourceName: "box", ...change });

test("what is complete there and gone here is told, once, when the list can be believed", async () => {
  isLoaded = false;
  const removed = removedWith(["a", "b"]);
  removed.connected(["a", "b", "c"].map((id) => state(id)));
  await removed.step();
  expect(told).toEqual([]);
  isLoaded = true;
  isReachable = false;
  await expect(removed.step()).rejects.toThrow("away");
  isReachable = true;
  await removed.step();
  await removed.step();
  expect(told).toEqual(["c"]);
});

test("one that cannot be told keeps no other waiting, and is tried again", async () => {
  const removed = removedWith(["a", "b"]);
  removed.connected(["a", "b", "broken", "c"].map((id) => state(id)));
  await expect(removed.step()).rejects.toThrow("away");
  await expect(removed.step()).rejects.toThrow("away");
  expect(told).toEqual(["c"]);
});

test("what is not complete there stays there, and that is said", async () => {
  const removed = removedWith(["a"]);
  removed.connected([state("a"), state("b", { phase: Phase.RECEIVING })]);
  await removed.step();
  expect(told).toEqual([]);
  expect(lines).toEqual([expect.stringContaining("what the destination has of it stays there")]);
});

test("of a list that has less than half of them nothing is believed", async () => {
  const removed = removedWith(["a"]);
  removed.connected(["a", "b", "c"].map((id) => state(id)));
  await removed.step();
  expect(told).toEqual([]);
  expect(lines).toEqual([expect.stringContaining("2 of 3 torrents that the destination has from box")]);
});

test("what another source sent, one without a name, or what was handed over is no news", async () => {
  const record = { id: "1", sourceName: "box", step: Step.REMOVED };
  const states = [
    state("a"),
    state("b", { sourceName: "other" }),
    state("c", { sourceName: "" }),
    state("d", { handOff: record }),
  ];
  const removed = removedWith(["a"]);
  removed.connected(states);
  await removed.step();
  const nameless = removedWith(["a"], { sourceName: "" });
  nameless.connected(states);
  await nameless.step();
  expect([told, lines]).toEqual([[], []]);
});

test("a dry run says so", async () => {
  const removed = removedWith(["a"], { dryRun: true });
  removed.connected(["a", "b"].map((id) => state(id)));
  await removed.step();
  expect(told).toEqual([]);
  expect(lines).toEqual([expect.stringContaining("this is a dry run")]);
});
