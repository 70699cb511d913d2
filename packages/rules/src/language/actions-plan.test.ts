import type { Torrent } from "@qbit-sidecars/qbit-client";
import { describe, expect, test } from "vitest";
import { plan } from "../plan/plan.ts";
import { rule, rulesOf, subjectOf } from "../rules-under-test.ts";

function planned(action: object, fields: Partial<Torrent>): unknown {
  const subject = subjectOf(fields);
  subject.setPart("trackers", [{ url: "http://a/x", status: 2, msg: "" }]);
  subject.setPart("files", [
    { index: 4, name: "a/sample.mkv", size: 1, priority: 6 },
    { index: 1, name: "a/other.mkv", size: 1, priority: 4 },
  ]);
  const { changes } = plan(rulesOf({ rules: [rule({}, action)] }), [subject]);
  return changes[0] === undefined ? "nothing" : { ...changes[0].operation, after: changes[0].after };
}

const done = { progress: 1, state: "stalledUP" } as const;
const half = { progress: 0.5, state: "stalledDL" } as const;

describe("what an action would do", () => {
  test.each<[action: object, fields: Partial<Torrent>, expected: unknown]>([
    [{ type: "stop" }, done, { kind: "stop", after: "stoppedUP" }],
    [{ type: "stop" }, half, { kind: "stop", after: "stoppedDL" }],
    [{ type: "stop" }, { state: "stoppedDL" }, "nothing"],
    [{ type: "start" }, { progress: 1, state: "stoppedUP" }, { kind: "start", after: "stalledUP" }],
    [{ type: "start" }, { progress: 0.5, state: "stoppedDL" }, { kind: "start", after: "stalledDL" }],
    [{ type: "start" }, half, "nothing"],
    [{ type: "force_start" }, done, { kind: "forceStart", enabled: true, after: "forcedUP" }],
    [{ type: "force_start" }, half, { kind: "forceStart", enabled: true, after: "forcedDL" }],
    [{ type: "force_start" }, { force_start: true, state: "forcedUP" }, "nothing"],
    [
      { type: "force_start" },
      { force_start: true, progress: 1, state: "stoppedUP" },
      { kind: "forceStart", enabled: true, after: "forcedUP" },
    ],
    [
      { type: "force_start", params: { enabled: false } },
      { ...done, force_start: true },
      { kind: "forceStart", enabled: false, after: "stalledUP" },
    ],
    [
      { type: "force_start", params: { enabled: false } },
      { ...half, force_start: true },
      { kind: "forceStart", enabled: false, after: "stalledDL" },
    ],
    [{ type: "recheck" }, done, { kind: "recheck", after: "checkingUP" }],
    [{ type: "recheck" }, half, { kind: "recheck", after: "checkingDL" }],
    [{ type: "recheck" }, { state: "checkingUP" }, "nothing"],
    [{ type: "increase_priority" }, { priority: 0 }, "nothing"],
    [{ type: "increase_priority" }, { priority: 1 }, "nothing"],
    [{ type: "decrease_priority" }, { priority: 1 }, { kind: "priority", move: "down", after: "down" }],
    [{ type: "set_bottom_priority" }, { priority: -1 }, "nothing"],
    [{ type: "set_category" }, { category: "" }, "nothing"],
    [
      { type: "set_category", params: { category: "x", create: false } },
      {},
      { kind: "setCategory", category: "x", create: false, after: "x" },
    ],
    [{ type: "set_tags", params: { tags: [] } }, { tags: "a" }, { kind: "setTags", tags: [], after: [] }],
    [{ type: "set_tags", params: { tags: [] } }, { tags: "" }, "nothing"],
    [{ type: "set_tags", params: { tags: ["a", "b"] } }, { tags: "b, a" }, "nothing"],
    [{ type: "set_upload_limit", params: { limit: -1 } }, { up_limit: 0 }, "nothing"],
    [{ type: "set_upload_limit", params: { limit: 0 } }, { up_limit: -1 }, "nothing"],
    [
      { type: "set_share_limits", params: { seeding_time: 60 } },
      {},
      {
        kind: "shareLimits",
        limits: { ratio: "global", seedingTimeMinutes: 60, inactiveSeedingTimeMinutes: "global" },
        after: { ratio: "global", seedingTimeMinutes: 60, inactiveSeedingTimeMinutes: "global" },
      },
    ],
    [{ type: "set_share_limits", params: { ratio: "unlimited" } }, { ratio_limit: -1 }, "nothing"],
    [
      { type: "set_share_limits", params: { inactive_seeding_time: "2 hours" } },
      { inactive_seeding_time_limit: 120 },
      "nothing",
    ],
    [{ type: "set_location", params: { path: "${info.comment}" } }, { comment: "" }, "nothing"],
    [{ type: "set_location", params: { path: "/data/" } }, { save_path: "/data" }, "nothing"],
    [
      { type: "set_location", params: { path: "/data/${info.tags}/${info.comment}" } },
      { tags: "a, b", comment: null as never },
      { kind: "setLocation", path: "/data/a, b/", after: "/data/a, b/" },
    ],
    [{ type: "rename", params: { name: " ${info.name} " } }, {}, "nothing"],
    [{ type: "rename", params: { name: "${info.comment}" } }, { comment: "" }, "nothing"],
    [{ type: "add_trackers", params: { urls: ["http://a/x"] } }, {}, "nothing"],
    [
      { type: "add_trackers", params: { url: "udp://b:1" } },
      {},
      { kind: "addTrackers", urls: ["udp://b:1"], after: ["http://a/x", "udp://b:1"] },
    ],
    [{ type: "remove_trackers", params: { url: "udp://b:1" } }, {}, "nothing"],
    [
      { type: "remove_trackers", params: { url: "http://a/x" } },
      {},
      { kind: "removeTrackers", urls: ["http://a/x"], after: [] },
    ],
    [{ type: "set_file_priority", params: { matching: "sample", priority: "high" } }, {}, "nothing"],
    [
      { type: "set_file_priority", params: { matching: "sample" } },
      {},
      { kind: "filePriority", indexes: [4], priority: 0, after: expect.anything() },
    ],
    [
      { type: "set_file_priority", params: { matching: "other", priority: 7 } },
      {},
      { kind: "filePriority", indexes: [1], priority: 7, after: expect.anything() },
    ],
    [{ type: "set_file_priority", params: { matching: "other", priority: "normal" } }, {}, "nothing"],
    [{ type: "set_super_seeding" }, { super_seeding: true }, "nothing"],
    [
      { type: "set_sequential", params: { enabled: false } },
      { seq_dl: true },
      { kind: "toggleSequential", after: false },
    ],
    [
      { type: "notify", params: { message: "{name} {nmae} {hash}" } },
      { name: "n", hash: "a".repeat(40) },
      { kind: "notify", message: expect.anything(), after: `n {nmae} ${"a".repeat(40)}` },
    ],
  ])("%j to %j: %j", (action, fields, expected) => {
    expect(planned(action, fields)).toEqual(expected);
  });
});

test("what a rule changed is what the next one finds: new trackers, too", () => {
  const rules = [
    { ...rule({}, { type: "add_trackers", params: { url: "udp://b.example:1" } }), name: "1" },
    {
      ...rule([{ field: "trackers.host", operator: "==", value: "b.example" }], { type: "stop" }),
      name: "2",
    },
  ];
  const subject = subjectOf();
  subject.setPart("trackerUrls", []);
  expect(plan(rulesOf({ rules }), [subject]).changes.map(({ action }) => action)).toEqual([
    "add_trackers",
    "stop",
  ]);
});
