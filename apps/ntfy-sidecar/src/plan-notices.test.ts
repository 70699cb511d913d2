import { describe, expect, test } from "vitest";
import { tellAll } from "./download.fixture.ts";
import type { Download } from "./download.ts";
import type { DownloadEvent } from "./follow-downloads.ts";
import { defaultTexts, NoticePlanner, type NoticePolicy } from "./plan-notices.ts";

const nowMs = new Date(2026, 0, 1, 12).getTime();
const download: Download = {
  id: "a".repeat(40),
  name: "Debian",
  category: "linux",
  tags: ["iso"],
  sizeBytes: 100,
  percent: 45,
  speedBytes: 1_048_576,
  etaSeconds: 125,
  state: "downloading",
  path: "/data",
};
const base: NoticePolicy = { ...tellAll, burstLimit: 3 };
const event = (kind: Exclude<DownloadEvent["kind"], "left">, over: Partial<Download> = {}): DownloadEvent => {
  const about = { ...download, ...over };
  const ends = kind === "completed" || kind === "removed" || kind === "dropped";
  return ends ? { kind, download: about, carded: true } : { kind, download: about };
};
const plan = (policy: Partial<NoticePolicy>, events: DownloadEvent[], at = { nowMs, inPlace: true }) =>
  new NoticePlanner({ ...base, ...policy }).plan(events, at);

test("progress reads as the document has it", () => {
  expect(plan({}, [event("progress")])).toEqual([
    {
      kind: "progress",
      topic: "downloads",
      sequence: `qbit-${download.id}`,
      title: "Debian",
      message: "45% [█████░░░░░]\nSpeed: 1.0 MB/s\nETA: 2m5s",
      tags: ["arrow_down"],
      priority: 2,
    },
  ]);
});

test("a completion has a card of its own, and the progress card goes after it", () => {
  expect(
    plan({}, [event("completed")]).map(({ kind, sequence, priority }) => [kind, sequence, priority]),
  ).toEqual([
    ["complete", `qbit-${download.id}-done`, 4],
    ["clear", `qbit-${download.id}`, undefined],
  ]);
});

test.each([
  ["added", "Torrent added", 2],
  ["stalled", "Download stalled", 4],
  ["error", "Download error", 4],
  ["removed", "Torrent removed", 2],
] as const)("%s is told with its switch on, and not with it off", (kind, title, priority) => {
  expect(plan({}, [event(kind)])[0]).toMatchObject({
    title,
    message: "Debian",
    priority,
    sequence: `qbit-${download.id}-${kind}`,
  });
  const off = { ...base.tell, [kind]: false };
  expect(plan({ tell: off }, [event(kind)]).filter((notice) => notice.kind !== "clear")).toEqual([]);
});

test("without NOTIFY_COMPLETE the progress card still goes", () => {
  expect(
    plan({ tell: { ...base.tell, complete: false } }, [event("completed")]).map(({ kind }) => kind),
  ).toEqual(["clear"]);
});

test("an alert's card goes when it is over; a removed torrent leaves no progress card", () => {
  const cleared = plan({}, [event("recovered"), event("moving-again"), event("removed")]).filter(
    ({ kind }) => kind === "clear",
  );
  expect(cleared.map(({ sequence }) => sequence.slice(45))).toEqual(["-error", "-stalled", ""]);
});

test("on a server without cards in place none is taken away", () => {
  const notices = plan({}, [event("completed"), event("recovered")], { nowMs, inPlace: false });
  expect(notices.map(({ kind }) => kind)).toEqual(["complete"]);
});

describe("filters", () => {
  test.each([
    [{ categories: ["linux"] }, true],
    [{ categories: ["tv"] }, false],
    [{ categoriesExcluded: ["linux"] }, false],
    [{ tags: ["iso", "x"] }, true],
    [{ tags: ["x"] }, false],
    [{ tagsExcluded: ["iso"] }, false],
    [{ categories: ["linux"], tagsExcluded: ["other"] }, true],
  ])("%j lets the torrent through: %s", (policy, passes) => {
    expect(plan(policy, [event("completed")]).length > 0).toBe(passes);
  });
});

test("a category or a tag can have a topic of its own", () => {
  const routes = [
    { by: "category", value: "tv", topic: "shows" },
    { by: "tag", value: "iso", topic: "images" },
  ] as const;
  expect(plan({ routes }, [event("completed")]).map(({ topic }) => topic)).toEqual(["images", "images"]);
  expect(plan({ routes }, [event("completed", { category: "tv" })])[0]?.topic).toBe("shows");
});

test("quiet hours take the sound and nothing else", () => {
  const quietHours = { fromMin: 11 * 60, toMin: 13 * 60 };
  const [done] = plan({ quietHours }, [event("completed")]);
  expect(done).toMatchObject({ kind: "complete", priority: 2, title: "Download Complete" });
});

test("texts, link and instance are the user's", () => {
  const texts = { ...defaultTexts, titleComplete: "{name} ✓", messageComplete: "{category} {tags}" };
  const [done] = plan({ texts, instance: "nas", click: "https://q/{hash}?n={name}" }, [
    event("completed", { name: "a b" }),
  ]);
  expect(done).toMatchObject({
    title: "a b ✓",
    message: "linux iso",
    sequence: `qbit-nas-${download.id}-done`,
    click: `https://q/${download.id}?n=a%20b`,
  });
  expect(done?.sequence.length).toBeLessThanOrEqual(64);
});

test("many at once are one summary, which grows; completions are told each", () => {
  const planner = new NoticePlanner(base);
  const added = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => event("added", { id: `${from + at}`, name: `n${from + at}` }));
  const plain = (events: DownloadEvent[], atMs: number) =>
    planner.plan(events, { nowMs: atMs, inPlace: true }).filter(({ kind }) => kind !== "clear");
  expect(plain(added(0, 3), nowMs)).toHaveLength(3);
  const [first, ...none] = plain(added(3, 12), nowMs + 5000);
  expect(none).toEqual([]);
  expect(first).toMatchObject({ title: "15 torrents added", message: expect.stringContaining("and 5 more") });
  const [second] = plain(added(15, 1), nowMs + 60_000);
  expect(second).toMatchObject({ title: "16 torrents added", sequence: first?.sequence });
  expect(plain(added(16, 1), nowMs + 600_000)[0]).toMatchObject({ title: "Torrent added" });
  expect(
    plain(
      Array.from({ length: 9 }, (_, at) => event("completed", { id: `${at}` })),
      nowMs,
    ),
  ).toHaveLength(9);
});

test("a burst that is spread over several looks is one summary as well, with what was told before it", () => {
  const planner = new NoticePlanner(base);
  const added = (name: string, atMs: number) =>
    planner.plan([event("added", { id: name, name })], { nowMs: atMs, inPlace: true });
  const titles = ["a", "b", "c", "d", "e", "f"].map((name, at) => added(name, nowMs + at * 10_000)[0]?.title);
  expect(titles).toEqual([
    "Torrent added",
    "Torrent added",
    "Torrent added",
    "4 torrents added",
    "5 torrents added",
    "6 torrents added",
  ]);
  const slow = ["u", "v", "w", "x", "y", "z"].map(
    (name, at) => added(name, nowMs + 3_600_000 + at * 30_000)[0]?.title,
  );
  expect(new Set(slow)).toEqual(new Set(["Torrent added"]));
});

test("the disk has a card that goes when there is space again", () => {
  const planner = new NoticePlanner(base);
  expect(planner.disk(1, "1 GB are free.", nowMs)).toMatchObject({
    kind: "disk",
    sequence: "qbit-disk",
    message: "1 GB are free.",
  });
  expect(planner.disk(undefined, "", nowMs)).toEqual({
    kind: "clear",
    topic: "downloads",
    sequence: "qbit-disk",
  });
});
