import { describe, expect, test } from "vitest";
import { type CleanupPurpose, type CleanupTorrent, planCleanup } from "./plan-cleanup.ts";

const gigabyte = 1e9;

const torrent = (id: string, change: Partial<CleanupTorrent> = {}): CleanupTorrent => ({
  id,
  name: id.toUpperCase(),
  isComplete: true,
  isSynced: true,
  hasSyncedTag: true,
  isExcluded: false,
  seedingTimeMs: 7_200_000,
  popularity: 1,
  sizeBytes: gigabyte,
  hold: undefined,
  isOnDisk: true,
  ...change,
});

const alone = (torrents: readonly CleanupTorrent[]) =>
  torrents.map(({ id, sizeBytes }) => ({ ids: [id], freesBytes: sizeBytes }));

/** Free and wanted in GB. */
const space = (free: number, wanted: number): CleanupPurpose => ({
  kind: "space",
  freeBytes: free * gigabyte,
  minSpaceBytes: wanted * gigabyte,
  minSeedingTimeMs: 3_600_000,
});

const chosen = (torrents: readonly CleanupTorrent[], purpose: CleanupPurpose) =>
  planCleanup(torrents, alone(torrents), purpose).chosen.flatMap(({ ids }) => ids);

describe("for space", () => {
  test("as many as are needed, and no more", () => {
    const torrents = ["a", "b", "c"].map((id) => torrent(id));
    expect(chosen(torrents, space(50, 50))).toEqual([]);
    expect(chosen(torrents, space(49.5, 50))).toEqual(["a"]);
    expect(chosen(torrents, space(48.5, 50))).toEqual(["a", "b"]);
    expect(chosen(torrents, space(0, 50))).toEqual(["a", "b", "c"]);
  });

  test("first what the fewest are interested in, then what was seeded longest, then the largest", () => {
    const torrents = [
      torrent("popular", { popularity: 9, seedingTimeMs: 9e9 }),
      torrent("small", { sizeBytes: 1 }),
      torrent("large", { sizeBytes: 2 * gigabyte }),
      torrent("old", { seedingTimeMs: 8_000_000 }),
    ];
    expect(chosen(torrents, space(0, 1000))).toEqual(["old", "large", "small", "popular"]);
  });

  test.each<[string, Partial<CleanupTorrent>, RegExp]>([
    ["was not seeded for long enough", { seedingTimeMs: 3_599_000 }, /seeded for 3599 s of 3600 s/],
    ["is tagged to stay", { isExcluded: true }, /its tag says/],
    ["is not complete there", { isSynced: false }, /not complete at the destination/],
    ["is not complete here", { isComplete: false }, /not complete here/],
    ["does not show the tag yet", { hasSyncedTag: false }, /does not show the tag/],
    ["failed a moment ago", { hold: "it was not handed over: x" }, /not handed over: x/],
    ["is on another disk", { isOnDisk: false }, /not seen on the disk/],
  ])("what %s stays, and it is said why", (_, change, why) => {
    const torrents = [torrent("a", change)];
    const plan = planCleanup(torrents, alone(torrents), space(0, 50));
    expect(plan.chosen).toEqual([]);
    expect(plan.stay.get("a")).toMatch(why);
  });

  test("what shares files goes together, or stays because of the other", () => {
    const groups = [{ ids: ["a", "b"], freesBytes: gigabyte }];
    expect(planCleanup([torrent("a"), torrent("b")], groups, space(0, 50)).chosen).toEqual(groups);
    const plan = planCleanup([torrent("a"), torrent("b", { isSynced: false })], groups, space(0, 50));
    expect(plan.chosen).toEqual([]);
    expect(plan.stay.get("a")).toBe("shares files with B: it is not complete at the destination");
  });

  test("what frees nothing stays", () => {
    const plan = planCleanup([torrent("a")], [{ ids: ["a"], freesBytes: 0 }], space(0, 50));
    expect(plan.chosen).toEqual([]);
    expect(plan.stay.get("a")).toMatch(/linked from elsewhere/);
  });

  test("where there is room that is the reason", () => {
    const plan = planCleanup([torrent("a")], alone([torrent("a")]), space(60, 50));
    expect(plan.stay.get("a")).toBe("there is room: 60.0 GB of 50.0 GB are free");
  });
});

describe("for a drain", () => {
  const drain: CleanupPurpose = { kind: "drain" };

  test("free space, time of seeding and links hold nothing back", () => {
    const torrents = [
      torrent("a", { seedingTimeMs: 0, isOnDisk: false }),
      torrent("b", { hasSyncedTag: false }),
    ];
    expect(
      planCleanup(
        torrents,
        torrents.map(({ id }) => ({ ids: [id], freesBytes: 0 })),
        drain,
      ).chosen,
    ).toHaveLength(2);
  });

  test("what is tagged to stay, or not synced, stays", () => {
    expect(chosen([torrent("a", { isExcluded: true }), torrent("b", { isSynced: false })], drain)).toEqual(
      [],
    );
  });
});
