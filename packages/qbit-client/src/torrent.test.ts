import { expect, test } from "vitest";
import { Capabilities } from "./capabilities.ts";
import { torrentId } from "./hashes.ts";
import { addedAt, completedAt, etaSeconds, infohashesOf, knownNumber, tagsOf } from "./torrent.ts";
import { filterFor } from "./torrent-filter.ts";
import { isComplete, torrentState } from "./torrent-state.ts";
import { isTracker, trackerStatus } from "./tracker.ts";
import { compareVersions } from "./version.ts";

test("states of 4.x and 5.x are one vocabulary, and a word from the future is unknown", () => {
  expect(
    ["pausedUP", "pausedDL", "queuedForChecking", "stoppedUP", "forcedMetaDL", "levitating"].map(
      torrentState,
    ),
  ).toEqual(["stoppedUP", "stoppedDL", "checkingResumeData", "stoppedUP", "forcedMetaDL", "unknown"]);
  expect(isComplete("checkingUP")).toBe(false);
  expect(isComplete("forcedUP")).toBe(true);
});

test("numbers that mean never, unknown or infinite are null", () => {
  expect([8_640_000, 12].map((eta) => etaSeconds({ eta }))).toEqual([null, 12]);
  expect([0, -1, 4_294_967_295].map((completion_on) => completedAt({ completion_on }))).toEqual([
    null,
    null,
    null,
  ]);
  expect(addedAt({ added_on: 1_700_000_000 })?.toISOString()).toBe("2023-11-14T22:13:20.000Z");
  expect([-1, 4_294_967_295, 0].map(knownNumber)).toEqual([null, null, 0]);
});

test("tags are a list, without blanks", () => {
  expect(tagsOf({ tags: "a, with space ,b" })).toEqual(["a", "with space", "b"]);
  expect(tagsOf({ tags: "" })).toEqual([]);
});

test("both infohashes are told from what the version says", () => {
  const hash = "a".repeat(40);
  expect(infohashesOf({ hash })).toEqual({ v1: hash, v2: null });
  expect(infohashesOf({ hash, infohash_v1: "", infohash_v2: "b".repeat(64) })).toEqual({
    v1: null,
    v2: "b".repeat(64),
  });
});

test("a torrent's id is lower case and 40 digits, and nothing else passes for one", () => {
  expect(torrentId("AB".repeat(32))).toBe("ab".repeat(20));
  for (const bad of ["", "all", "g".repeat(40), `${"a".repeat(40)}|all`])
    expect(() => torrentId(bad)).toThrow(TypeError);
});

test("versions are compared by number", () => {
  expect(compareVersions("2.8.18", "2.8.2")).toBeGreaterThan(0);
  expect(compareVersions("2.11", "2.11.0")).toBe(0);
  expect(compareVersions("v5.2.0beta1", "5.2.0")).toBe(0);
});

test("a filter that a version does not know is applied here", () => {
  const [old, middle, now] = ["2.5.1", "2.8.19", "2.16.2"].map(
    (webApi) => new Capabilities({ app: "x", webApi }),
  );
  if (old === undefined || middle === undefined || now === undefined) throw new Error("three were made");
  expect(filterFor("stopped", middle)).toEqual({ word: "paused", keep: undefined });
  expect(filterFor("stopped", now)).toEqual({ word: "stopped", keep: undefined });
  expect(filterFor("moving", old)).toEqual({ word: "all", keep: ["moving"] });
  expect(filterFor("moving", middle)).toEqual({ word: "moving", keep: undefined });
});

test("tracker rows that are no trackers are told apart, and the status has a word", () => {
  expect(isTracker({ url: "** [DHT] **" })).toBe(false);
  expect(isTracker({ url: "udp://127.0.0.1:1" })).toBe(true);
  expect([0, 2, 6, 99].map((status) => trackerStatus({ status }))).toEqual([
    "disabled",
    "working",
    "unreachable",
    "unknown",
  ]);
});
