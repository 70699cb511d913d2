import { HandOffRecord_Step as Step, type SeedingState } from "@qbit-sidecars/qbsync-protocol";
import { expect, test } from "vitest";
import { type Here, planGroup, type View } from "./plan-hand-off.ts";

type Present = Here & { kind: "present" };

const here = (change: Partial<Present> = {}): Present => ({
  kind: "present",
  activity: "running",
  isComplete: true,
  mark: "none",
  isExcluded: false,
  ...change,
});
const marked = (change: Partial<Present> = {}) => here({ mark: "ran", ...change });
const stopped = (change: Partial<Present> = {}) => marked({ activity: "stopped", ...change });
const absent = (isGone = false): Here => ({ kind: "absent", isGone });

function view(side: Here, [state, step]: [SeedingState, Step?], isStuck = false): View {
  const record = step === undefined ? {} : { record: { id: "1", sourceName: "", step } };
  return { here: side, there: { state, isStill: state === "stopped", detail: state, ...record }, isStuck };
}

const { BEGUN, STARTING, SEEDING, REMOVED, TAKEN_BACK } = Step;

test.each<[string, View, string]>([
  ["forward: nothing was done yet", view(here(), ["stopped"]), "begin"],
  ["… begun", view(here(), ["stopped", BEGUN]), "mark"],
  ["… marked", view(marked(), ["stopped", BEGUN]), "stop"],
  ["… stopped here", view(stopped(), ["stopped", BEGUN]), "start there"],
  ["… started there", view(stopped(), ["seeding", STARTING]), "start there"],
  ["… seeding there", view(stopped(), ["seeding", SEEDING]), "remove"],
  ["… removed here", view(absent(), ["seeding", SEEDING]), "tell removed"],
  ["… told", view(absent(), ["seeding", REMOVED]), "done"],
  ["it was stopped by a person before", view(here({ activity: "stopped" }), ["stopped"]), "begin"],
  ["somebody started it here again", view(marked(), ["seeding", SEEDING]), "stop"],
  [
    "the destination's qBittorrent lost that it was started",
    view(stopped(), ["stopped", SEEDING]),
    "start there",
  ],
  ["… or is loading", view(stopped(), ["absent", SEEDING]), "wait"],
  ["… or checks", view(stopped(), ["busy", STARTING]), "wait"],
  ["the source's qBittorrent is loading", view(absent(), ["stopped", BEGUN]), "wait"],
  ["… and nothing tells that it seeds there", view(absent(), ["seeding", STARTING]), "wait"],
  ["a person removed it in the middle", view(absent(true), ["stopped", BEGUN]), "tell removed"],
  ["it is not complete there", view(here(), ["incomplete"]), "done"],
  ["it is not there", view(here(), ["absent"]), "done"],
  ["nothing changes any more", view(stopped(), ["incomplete", STARTING], true), "take back"],
  ["it is tagged to stay", view(stopped({ isExcluded: true }), ["seeding", SEEDING]), "take back"],
  ["its data is gone here", view(stopped({ isComplete: false }), ["seeding", SEEDING]), "take back"],
  ["somebody took the mark off", view(here(), ["seeding", STARTING]), "take back"],
  ["taken back: still uploading there", view(stopped(), ["seeding", TAKEN_BACK]), "take back"],
  ["taken back: stopped there", view(stopped(), ["stopped", TAKEN_BACK]), "start here"],
  ["taken back: running here", view(marked(), ["stopped", TAKEN_BACK]), "unmark"],
  ["taken back: it never ran", view(stopped({ mark: "was stopped" }), ["stopped", TAKEN_BACK]), "unmark"],
  ["taken back: whether it uploads there is not known", view(stopped(), ["absent", TAKEN_BACK]), "take back"],
  ["removed and back, as after a crash", view(stopped(), ["seeding", REMOVED]), "remove"],
  ["… running", view(marked(), ["seeding", REMOVED]), "stop"],
  ["… and not there any more", view(stopped(), ["incomplete", REMOVED], true), "take back"],
])("%s", (_, one, act) => {
  expect(planGroup([one], { isWanted: true })[0]?.act).toBe(act);
});

test("what nobody wants to be handed over is brought to its end and not begun", () => {
  const acts = (one: View) => planGroup([one], { isWanted: false })[0]?.act;
  expect(acts(view(here(), ["stopped"]))).toBe("done");
  expect(acts(view(here(), ["stopped", BEGUN]))).toBe("take back");
  expect(acts(view(stopped(), ["seeding", SEEDING]))).toBe("remove");
});

test.each<[string, View[], string[]]>([
  [
    "nothing is removed before all of them seed there",
    [view(stopped(), ["seeding", SEEDING]), view(stopped(), ["busy", STARTING])],
    ["wait", "wait"],
  ],
  [
    "then all of them are",
    [view(stopped(), ["seeding", SEEDING]), view(stopped(), ["seeding", SEEDING])],
    ["remove", "remove"],
  ],
  [
    "one that is not complete there takes the others back",
    [view(stopped(), ["seeding", SEEDING]), view(here(), ["incomplete"])],
    ["take back", "done"],
  ],
  [
    "one that is not listed is not taken for removed while another cannot have been",
    [view(absent(), ["seeding", SEEDING]), view(stopped(), ["stopped", BEGUN])],
    ["wait", "start there"],
  ],
  [
    "once one is removed the others follow, whatever a tag says",
    [view(absent(), ["seeding", REMOVED]), view(stopped({ isExcluded: true }), ["seeding", SEEDING])],
    ["done", "remove"],
  ],
])("torrents that share files: %s", (_, views, acts) => {
  expect(planGroup(views, { isWanted: true }).map(({ act }) => act)).toEqual(acts);
});
