import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HandOffWorld } from "./hand-off-world.ts";

const runs = process.env.QBIT_SIDECARS_LONG === "1" ? 200_000 : 4000;

/** Small numbers are faults and events; so many of the others that hand-offs come far before the first of them. */
const tape = fc.array(fc.integer({ min: 0, max: 160 }), { minLength: 20, maxLength: 250, size: "max" });

test("whatever dies, is lost, late or twice: never two seeders, never no copy, always an end, all of a group or none", async () => {
  await fc.assert(
    fc.asyncProperty(
      tape,
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      async (numbers, torrents, stopped) => {
        const world = new HandOffWorld(numbers, { torrents, stopped });
        let outcome = await world.live({ isWanted: true });
        for (
          let lives = 0;
          lives < 200 && (outcome === undefined || outcome === "waiting" || !world.isAtRest);
          lives += 1
        )
          outcome = await world.live({ isWanted: lives % 3 !== 0 && lives < 12 });
        for (let looks = 0; looks < 5; looks += 1) world.settle();
        expect(world.violations, world.history.join("\n")).toEqual([]);
        expect(world.isAtRest, world.history.join("\n")).toBe(true);
        const present = world.ids.map((id) => world.source.get(id)!.isPresent);
        expect(new Set(present).size, world.history.join("\n")).toBe(1);
        for (const id of world.ids) {
          const [source, home] = [world.source.get(id)!, world.home.get(id)!];
          // What ran before runs on one of the sides; what a person had stopped runs at home or not at all.
          if (source.isPresent) expect(source.isRunning, world.history.join("\n")).toBe(!stopped);
          else expect(home.isRunning, world.history.join("\n")).toBe(true);
        }
      },
    ),
    { numRuns: runs },
  );
});

test("without a fault it is stopped here, started there, removed here, told", async () => {
  const world = new HandOffWorld([], { torrents: 1 });
  expect(await world.live({ isWanted: true })).toBe("handed off");
  expect(world.history).toEqual([
    "there: begin torrent 0 (hand-off 1)",
    "here: mark torrent 0",
    "here: stop torrent 0",
    "there: start torrent 0 (hand-off 1)",
    "here: remove torrent 0",
    "there: removed torrent 0 (hand-off 1)",
  ]);
});
