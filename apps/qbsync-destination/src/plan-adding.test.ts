import { readLayout } from "@qbit-sidecars/qbsync-protocol";
import { makeTorrent } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { planAdding, type Seen, type Wanted } from "./plan-adding.ts";

const made = makeTorrent({
  version: "v1",
  name: "folder",
  files: [
    { path: "a", size: 10 },
    { path: "b", size: 10 },
  ],
});
const layout = readLayout(made.torrent);
const wanted: Wanted = { paths: ["folder/a", "folder/b"], unselected: new Set(), tags: ["synced"] };
const seen: Seen = {
  state: "stoppedUP",
  progress: 1,
  tags: ["synced"],
  files: wanted.paths.map((path) => ({ path, isSelected: true })),
};
const plan = (change: { wanted?: Partial<Wanted>; seen?: Partial<Seen> | "absent"; hasChecked?: boolean }) =>
  planAdding(
    { ...wanted, ...change.wanted },
    change.seen === "absent" ? undefined : { ...seen, ...change.seen },
    {
      layout,
      hasChecked: change.hasChecked ?? false,
    },
  );

describe("a torrent that qBittorrent does not have", () => {
  test("is added as verified, which it was", () => {
    expect(plan({ seen: "absent" })).toEqual({ kind: "add", skipChecking: true, contentLayout: "Original" });
  });

  test("is not, while some of its files are unselected or renamed one by one", () => {
    expect(plan({ seen: "absent", wanted: { unselected: new Set([1]) } })).toMatchObject({
      skipChecking: false,
    });
    expect(plan({ seen: "absent", wanted: { paths: ["folder/a", "folder/c"] } })).toMatchObject({
      skipChecking: false,
    });
  });

  test("without its folder is added so", () => {
    expect(plan({ seen: "absent", wanted: { paths: ["a", "b"] } })).toEqual({
      kind: "add",
      skipChecking: true,
      contentLayout: "NoSubfolder",
    });
  });
});

describe("a torrent that qBittorrent has", () => {
  test("and that is as wanted needs nothing", () => {
    expect(plan({})).toEqual({ kind: "done" });
  });

  test("is never left running while it is incomplete", () => {
    expect(plan({ seen: { state: "stalledDL", progress: 0.5 } })).toEqual({ kind: "stop" });
  });

  test("is waited for while it is checked or moved", () => {
    for (const state of ["checkingDL", "checkingUP", "checkingResumeData", "moving"] as const)
      expect(plan({ seen: { state, progress: 0.5 } })).toMatchObject({ kind: "wait" });
  });

  test("is renamed, then selected, then checked, then tagged", () => {
    const change = { paths: ["folder/a", "folder/c"], unselected: new Set([0]), tags: ["synced", "hd"] };
    const state = { state: "stoppedDL", progress: 0 } as const;
    expect(plan({ wanted: change, seen: state })).toEqual({
      kind: "rename",
      from: "folder/b",
      to: "folder/c",
    });
    const renamed = [
      { path: "folder/a", isSelected: true },
      { path: "folder/c", isSelected: true },
    ];
    expect(plan({ wanted: change, seen: { ...state, files: renamed } })).toEqual({
      kind: "select",
      selected: [],
      unselected: [0],
    });
    const selected = [{ path: "folder/a", isSelected: false }, renamed[1]!];
    expect(plan({ wanted: change, seen: { ...state, files: selected } })).toEqual({ kind: "recheck" });
    expect(plan({ wanted: change, seen: { files: selected } })).toEqual({ kind: "tag", tags: ["hd"] });
  });

  test("and that is not complete after a check needs a person", () => {
    expect(plan({ seen: { state: "stoppedDL", progress: 0.5 }, hasChecked: true })).toMatchObject({
      kind: "fail",
      why: expect.stringContaining("save path"),
    });
  });
});
