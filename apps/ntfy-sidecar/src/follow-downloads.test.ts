import type { Torrent } from "@qbit-sidecars/qbit-client";
import { describe, expect, test } from "vitest";
import { torrent } from "./download.fixture.ts";
import {
  type Followed,
  followDownload,
  type FollowRules,
  missingGraceMs,
  newlyTracked,
  type Tracked,
} from "./follow-downloads.ts";

const rules: FollowRules = {
  nowMs: 0,
  topicOf: () => "downloads",
  step: 25,
  inPlace: true,
  progressIntervalMs: 10_000,
  cardFree: true,
  stalledAfterMs: 1_800_000,
  isNews: () => true,
};

const complete = { state: "stalledUP", progress: 1, amount_left: 0, downloaded: 100 } as const;

/** Follows a torrent through moments of one minute each; what was told at each. */
function follow(moments: (Partial<Torrent> | undefined)[], over: Partial<FollowRules> = {}): string[] {
  let tracked: Tracked | undefined = newlyTracked("a".repeat(40), { nowMs: 0, fresh: false });
  return moments.map((moment, at) => {
    if (tracked === undefined) return "not followed";
    const now = { ...rules, nowMs: (at + 1) * 60_000, ...over };
    const followed: Followed = followDownload(
      tracked,
      moment === undefined ? undefined : torrent(moment),
      now,
    );
    tracked = followed.next;
    return followed.events
      .map(({ kind, download }) => (kind === "progress" ? `${download.percent}%` : kind))
      .join(" ");
  });
}

describe("completion", () => {
  test.each(["uploading", "stalledUP", "queuedUP", "forcedUP", "stoppedUP"] as const)(
    "is seen in state %s",
    (state) => {
      expect(follow([{}, { ...complete, state }])).toEqual(["0%", "completed"]);
    },
  );

  test.each(["checkingDL", "checkingUP", "checkingResumeData", "moving", "unknown"] as const)(
    "is not seen in state %s, whatever its progress; it is once that is over",
    (state) => {
      expect(follow([{}, { ...complete, state }, complete])).toEqual(["0%", "", "completed"]);
    },
  );

  test("of what was never downloaded is no news", () => {
    expect(follow([{ state: "stoppedDL" }, { ...complete, downloaded: 0 }, {}])).toEqual([
      "",
      "dropped",
      "not followed",
    ]);
    expect(follow([{ ...complete, progress: 0, downloaded: 0 }])).toEqual(["dropped"]);
  });

  test("of what was complete when first seen is news only if it is new", () => {
    expect(follow([complete])).toEqual(["completed"]);
    expect(follow([complete], { isNews: () => false })).toEqual(["dropped"]);
  });

  test("with less wanted than before counts as well", () => {
    expect(
      follow([
        { progress: 0.5, amount_left: 50, downloaded: 50 },
        { ...complete, downloaded: 50 },
      ]),
    ).toEqual(["50%", "completed"]);
  });
});

describe("progress", () => {
  test("is told at each step, and not at 100 %", () => {
    const progress = [0, 0.1, 0.26, 0.49, 0.5, 0.8, 0.999, 1].map((each) => ({ progress: each }));
    expect(follow(progress)).toEqual(["0%", "", "26%", "", "50%", "80%", "", ""]);
  });

  test("goes back after a recheck", () => {
    const checking = { state: "checkingDL", progress: 0.9 } as const;
    expect(follow([{ progress: 0.6 }, checking, { progress: 0.3 }])).toEqual(["60%", "", "30%"]);
  });

  test("is not told twice within the interval, and the newest is told after it", () => {
    const moments = [{ progress: 0.1 }, { progress: 0.3 }, { progress: 0.6 }];
    expect(follow(moments, { progressIntervalMs: 90_000 })).toEqual(["10%", "", "60%"]);
  });

  test("is not told of what waits, nor of a magnet without its name, nor beyond the cards there are", () => {
    expect(
      follow([{ state: "queuedDL" }, { state: "stoppedDL" }, { state: "metaDL", name: "a".repeat(40) }]),
    ).toEqual(["", "", ""]);
    expect(follow([{}, complete], { cardFree: false })).toEqual(["", "completed"]);
    expect(follow([{}, { progress: 0.5 }], { step: undefined })).toEqual(["", ""]);
  });

  test("without cards in place leaves 0 % out", () => {
    expect(follow([{}, { progress: 0.3 }, { progress: 0.6 }], { inPlace: false, step: 50 })).toEqual([
      "",
      "",
      "60%",
    ]);
  });
});

describe("trouble", () => {
  test.each(["error", "missingFiles"] as const)("%s is told once, and when it is over", (state) => {
    expect(follow([{}, { state }, { state }, {}, { state }])).toEqual([
      "0%",
      "error",
      "",
      "recovered",
      "error",
    ]);
  });

  test("a download without a byte for the given time is told once, and when it moves again", () => {
    const stalledAfterMs = 120_000;
    const still = { state: "stalledDL", amount_left: 50, progress: 0.5 } as const;
    expect(follow([still, still, still, still, { ...still, amount_left: 40 }], { stalledAfterMs })).toEqual([
      "50%",
      "",
      "stalled",
      "",
      "moving-again",
    ]);
    const stopped = { ...still, state: "stoppedDL" } as const;
    expect(follow([stopped, stopped, stopped, stopped], { stalledAfterMs })).toEqual(["", "", "", ""]);
  });

  test("one that is gone for a minute was removed; one that is back before was not", () => {
    expect(missingGraceMs).toBe(60_000);
    expect(follow([{}, undefined, undefined, undefined])).toEqual(["0%", "", "removed", "not followed"]);
    expect(follow([{}, undefined, {}, undefined, {}])).toEqual(["0%", "", "", "", ""]);
    expect(follow([undefined, undefined, {}])).toEqual(["", "", "not followed"]);
  });
});
