import { isMissing, qbittorrentVersionsUnderTest } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { type Download, QbsyncStage } from "../qbsync-stage.ts";
import { qbsyncStories } from "./qbsync.ts";

const mixed = [
  { path: "a/film.bin", size: 1_500_000 },
  { path: "b.bin", size: 500_000 },
  { path: "c.bin", size: 700_001 },
  { path: "empty", size: 0 },
  { path: "d.txt", size: 5 },
];
const shared = { files: mixed, pieceLength: 65_536, bytesPerSecond: 2_000_000 };

/** Every kind of torrent there is; seeds differ, so that no two share content. */
const kinds: Record<string, Download> = {
  v1: { ...shared, version: "v1", name: "v1", seed: 1 },
  padded: { ...shared, version: "v1", padded: true, name: "padded", seed: 2 },
  hybrid: { ...shared, version: "hybrid", name: "hybrid", seed: 3 },
  v2: { ...shared, version: "v2", name: "v2", seed: 4 },
  "part of v1": { ...shared, version: "v1", name: "part of v1", seed: 5, unselected: [1] },
  "part of hybrid": { ...shared, version: "hybrid", name: "part of hybrid", seed: 6, unselected: [0, 4] },
  "one file": { version: "v1", files: [{ path: "one.bin", size: 700_000 }], seed: 7 },
  "64 MiB pieces": {
    version: "v1",
    name: "large pieces",
    files: [
      { path: "a.bin", size: 70_000_000 },
      { path: "b.bin", size: 1 },
    ],
    pieceLength: 67_108_864,
    bytesPerSecond: 0,
    seed: 8,
  },
};

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("the bundles of qbsync", () => {
  test("every story that `npm start` tells comes true", async () => {
    await using stage = await QbsyncStage.set();
    for (const story of qbsyncStories) {
      await expect(
        story.play(stage, () => {}),
        story.title,
      ).resolves.toBeUndefined();
    }
  });
});

const versions = qbittorrentVersionsUnderTest().filter((one) => one !== "4.2.5");

/** The largest pieces that there are; `b.bin` makes that there is more than one of them. */
const hugePieces: Record<string, Download> = Object.fromEntries(
  (["v1", "v2"] as const).map((version, index) => [
    version,
    {
      version,
      name: `huge pieces ${version}`,
      files: [
        { path: "a.bin", size: 268_435_456 + 1_000_000 },
        { path: "b.bin", size: 1 },
      ],
      pieceLength: 268_435_456,
      bytesPerSecond: 0,
      seed: 20 + index,
    },
  ]),
);

for (const version of versions) {
  describe.skipIf(await isMissing(`qBittorrent ${version}`))(`between two qBittorrents ${version}`, () => {
    test("every kind of torrent arrives while it downloads, and seeds at 100 %", async () => {
      await using stage = await QbsyncStage.set({ version });
      const downloads = await Promise.all(
        Object.entries(kinds).map(async ([name, options]) => ({
          options,
          made: await stage.download(name, options),
        })),
      );
      for (const { made, options } of downloads) {
        await stage.complete(made);
        await stage.seeds(made);
        const wanted = made.files.filter((_, index) => options.unselected?.includes(index) !== true);
        for (const file of wanted) expect(await stage.isSameAtHome(file), file.path).toBe(true);
      }
    });

    const isNow = version === versions.at(-1) || process.env["QBIT_SIDECARS_LONG"] === "1";
    for (const [kind, options] of isNow ? Object.entries(hugePieces) : [])
      test(`pieces of 256 MiB of a ${kind} torrent arrive, through windows of 64 MiB, and seed at 100 %`, async () => {
        await using stage = await QbsyncStage.set({
          version,
          env: { source: { QBSYNC_SOURCE_WINDOW: "64MiB" } },
        });
        const made = await stage.download(`huge ${kind}`, options);
        await stage.complete(made);
        await stage.seeds(made);
        for (const file of made.files) expect(await stage.isSameAtHome(file), file.path).toBe(true);
      });
  });
}
