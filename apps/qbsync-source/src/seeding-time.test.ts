import { expect, test } from "vitest";
import { SeedingTime } from "./seeding-time.ts";

const listedForMs = Number.POSITIVE_INFINITY;

test("of a torrent that nobody asks for time passes, though qBittorrent tells none of it", () => {
  const time = new SeedingTime();
  const torrent = { state: "stalledUP", seeding_time: 2 } as const;
  expect(time.at(torrent, { now: 1000, listedForMs })).toBe(2000);
  expect(time.at(torrent, { now: 9000, listedForMs })).toBe(10_000);
});

test("what qBittorrent tells anew counts, also when it forgot some of it in a crash", () => {
  const time = new SeedingTime();
  time.at({ state: "stalledUP", seeding_time: 100 }, { now: 0, listedForMs });
  expect(time.at({ state: "stalledUP", seeding_time: 130 }, { now: 40_000, listedForMs })).toBe(130_000);
  expect(time.at({ state: "stalledUP", seeding_time: 3 }, { now: 50_000, listedForMs })).toBe(3000);
  expect(time.at({ state: "uploading", seeding_time: 3 }, { now: 51_000, listedForMs })).toBe(4000);
});

test.each(["stoppedUP", "queuedUP", "checkingUP", "downloading"] as const)(
  "none passes while it is %s, nor for the time before that",
  (state) => {
    const time = new SeedingTime();
    time.at({ state: "stalledUP", seeding_time: 5 }, { now: 0, listedForMs });
    expect(time.at({ state, seeding_time: 5 }, { now: 60_000, listedForMs })).toBe(5000);
    expect(time.at({ state: "stalledUP", seeding_time: 5 }, { now: 90_000, listedForMs })).toBe(5000);
    expect(time.at({ state: "stalledUP", seeding_time: 5 }, { now: 91_000, listedForMs })).toBe(6000);
  },
);

test("none passes while qBittorrent is away", () => {
  const time = new SeedingTime();
  const torrent = { state: "stalledUP", seeding_time: 5 } as const;
  time.at(torrent, { now: 0, listedForMs });
  expect(time.at(torrent, { now: 60_000, listedForMs: 2000 })).toBe(7000);
  expect(time.at(torrent, { now: 60_000, listedForMs: Number.NEGATIVE_INFINITY })).toBe(5000);
});

test("of a version that tells no seeding time, what was seen counts", () => {
  const time = new SeedingTime();
  time.at({ state: "stalledUP" }, { now: 0, listedForMs });
  expect(time.at({ state: "stalledUP" }, { now: 7000, listedForMs })).toBe(7000);
});
