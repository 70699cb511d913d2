import type { Torrent } from "@qbit-sidecars/qbit-client";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { LibraryIndex } from "./plan/library-index.ts";
import { plan } from "./plan/plan.ts";
import type { Row } from "./plan/subject.ts";
import { nowMs, rulesOf, subjectOf } from "./rules-under-test.ts";

type Look = { info?: Partial<Torrent>; files?: Row[]; trackers?: Row[] };
const daysAgo = (days: number) => nowMs / 1000 - days * 86_400;
const file = (name: string): Row => ({ index: 0, name, size: 10, priority: 1 });
const tracker = (fields: Row): Row => ({
  url: "http://a.example.org/announce",
  status: 2,
  msg: "",
  ...fields,
});
const removes = (deleteFiles: boolean) => [{ kind: "delete", deleteFiles }];

/** For each recipe: a torrent it is for, what is done to it, and one it leaves alone. */
const recipes: Record<string, { for: Look; does: object[]; spares: Look }> = {
  "Stop archives when they are added": {
    for: { info: { state: "downloading", progress: 0 }, files: [file("a/x.rar")] },
    does: [{ kind: "stop" }, { kind: "addTags", tags: ["archive"] }],
    spares: { files: [file("x.mkv")] },
  },
  "Tag private trackers": {
    for: { info: { private: true } },
    does: [{ kind: "addTags", tags: ["private"] }],
    spares: { info: { private: false } },
  },
  "Put HD films into a category": {
    for: { info: { category: "", tags: "" } },
    does: [
      { kind: "setCategory", category: "Movies-HD", create: true },
      { kind: "addTags", tags: ["hd", "film"] },
    ],
    spares: { info: { category: "x" } },
  },
  "Put series into a category": {
    for: { info: { name: "Show.S01E02" } },
    does: [{ kind: "setCategory", category: "tv", create: true }],
    spares: {},
  },
  "Remove torrents whose trackers are all dead": {
    for: { info: { added_on: daysAgo(20) }, trackers: [tracker({ status: 4 })] },
    does: removes(false),
    spares: { info: { added_on: daysAgo(20) }, trackers: [tracker({ status: 4 }), tracker({})] },
  },
  "Remove magnets that never found their metadata": {
    for: { info: { state: "metaDL", has_metadata: false } },
    does: removes(false),
    spares: { info: { state: "metaDL", has_metadata: false, added_on: daysAgo(1) } },
  },
  "Stop what has seeded well": {
    for: { info: { seeding_time: 8 * 86_400 } },
    does: [{ kind: "stop" }, { kind: "addTags", tags: ["seeded"] }],
    spares: { info: { seeding_time: 8 * 86_400, tags: "seedbox" } },
  },
  "Force private torrents until they have a ratio of 1": {
    for: { info: { tags: "private", ratio: 0.5 } },
    does: [{ kind: "forceStart", enabled: true }],
    spares: { info: { tags: "private", ratio: 1 } },
  },
  "Clean up what is done, with its data": {
    for: { info: { completion_on: daysAgo(40), tags: "" } },
    does: removes(true),
    spares: { info: { completion_on: -1, tags: "" } },
  },
  "Make room when the disk is nearly full": {
    for: { info: { num_complete: 30, completion_on: daysAgo(20) } },
    does: removes(true),
    spares: { info: { num_complete: 2, completion_on: daysAgo(20) } },
  },
  "Remove torrents in error, but not their data": {
    for: { info: { state: "missingFiles" } },
    does: removes(false),
    spares: {},
  },
  "Tag by tracker": {
    for: { trackers: [tracker({})] },
    does: [{ kind: "addTags", tags: ["example"] }],
    spares: { trackers: [tracker({ url: "udp://b.example.com/x" })] },
  },
  "Stop downloads without seeds": {
    for: { info: { state: "stalledDL", progress: 0.5, num_complete: 0, last_activity: daysAgo(4) } },
    does: [{ kind: "stop" }],
    spares: { info: { state: "stalledDL", num_complete: 1 } },
  },
  "Slow down what is old": {
    for: { info: { seeding_time: 100 * 86_400 } },
    does: [{ kind: "uploadLimit", bytesPerSecond: 100_000 }],
    spares: { info: { seeding_time: 100 } },
  },
  "Mark torrents when encryption is required": {
    for: {},
    does: [{ kind: "addTags", tags: ["encrypted"] }],
    spares: { info: { tags: "encrypted" } },
  },
  "Recheck downloads that are stuck near the end": {
    for: { info: { state: "stalledDL", progress: 0.95 } },
    does: [{ kind: "recheck" }],
    spares: { info: { state: "stalledDL", progress: 0.5 } },
  },
  "Skip samples": {
    for: { files: [file("a/Sample/x.mkv")] },
    does: [{ kind: "filePriority", indexes: [0], priority: 0 }],
    spares: { files: [file("a/x.mkv")] },
  },
  "Reannounce when a tracker complains": {
    for: { info: { state: "stalledDL" }, trackers: [tracker({ msg: "Timed out" })] },
    does: [{ kind: "reannounce" }],
    spares: { info: { state: "stalledDL" }, trackers: [tracker({})] },
  },
  "Start what can be completed": {
    for: { info: { state: "stoppedDL", progress: 0.5, availability: 1 } },
    does: [{ kind: "start" }],
    spares: { info: { state: "stoppedDL", availability: 0.1 } },
  },
  "Seed by kind, with nested groups": {
    for: { info: { category: "tv", ratio: 1, seeding_time: 22 * 86_400 } },
    does: [{ kind: "stop" }],
    spares: { info: { category: "movies", ratio: 2, seeding_time: 22 * 86_400 } },
  },
  "Tell a phone when something is finished": {
    for: { info: { name: "Film" } },
    does: [
      {
        kind: "notify",
        message: { service: "ntfy", url: "https://ntfy.sh/my-topic", text: "Finished: Film" },
      },
    ],
    spares: { info: { progress: 0.9 } },
  },
  "Blocklist malware and look for another release": {
    for: { info: { category: "tv" }, files: [file("film.EXE")] },
    does: [
      { kind: "stop" },
      { kind: "arrBlocklist", request: { service: "sonarr", removeFromClient: false, search: true } },
    ],
    spares: { info: { category: "tv" }, files: [file("film.mkv")] },
  },
  "Move finished films": {
    for: {},
    does: [{ kind: "setLocation", path: "/data/movies" }],
    spares: { info: { progress: 0.5 } },
  },
};

const text = await readFile(new URL("../COOKBOOK.md", import.meta.url), "utf8");
const written = new Map(
  [...text.matchAll(/^## (.+)$[^]*?```yaml\n([^]*?)```/gm)].map(([, title = "", yaml = ""]) => [title, yaml]),
);

function changesOf(yaml: string, { info = {}, files, trackers }: Look): unknown[] {
  const ruleset = rulesOf(`rules:\n${yaml}`);
  const subject = subjectOf(info, { preferences: { encryption: 1 }, freeSpaceBytes: 1e9 });
  if (files !== undefined) subject.setPart("files", files);
  if (trackers !== undefined) subject.setPart("trackers", trackers);
  subject.world.library = new LibraryIndex([subject.actual]);
  const [context] = ruleset.rules[0]?.contexts ?? [];
  const { changes, pending } = plan(ruleset, [subject], context === undefined ? {} : { context });
  expect(pending).toEqual([]);
  return changes.map(({ operation }) => operation);
}

test("every recipe is tested, and every test is a recipe", () => {
  expect([...written.keys()].toSorted()).toEqual(Object.keys(recipes).toSorted());
});

test.each(Object.entries(recipes))("%s", (title, recipe) => {
  const yaml = written.get(title) ?? "";
  expect(rulesOf(`rules:\n${yaml}`).warnings).toEqual([]);
  expect(changesOf(yaml, recipe.for)).toMatchObject(recipe.does);
  expect(changesOf(yaml, recipe.spares)).toEqual([]);
});
