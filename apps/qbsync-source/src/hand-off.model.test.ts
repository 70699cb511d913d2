import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HandOffWorld } from "./hand-off-world.ts";

const numRuns = process.env.QBIT_SIDECARS_LONG === "1" ? 200_000 : 4000;

/** Small numbers are faults and events; so many of the others that hand-offs come far before the first of them. */
const tape = fc.array(fc.integer({ min: 0, max: 160 }), { minLength: 20, maxLength: 250, size: "max" });

/** The process is started again and again, until there is nothing left to do. */
async function liveOn(world: HandOffWorld): Promise<void> {
  let outcome = await world.live({ isWanted: true });
  for (let life = 0; life < 200; life += 1) {
    if (outcome !== undefined && outcome !== "waiting" && world.isAtRest) break;
    outcome = await world.live({ isWanted: life % 3 !== 0 && life < 12 });
  }
  for (let looks = 0; looks < 5; looks += 1) world.settle();
}

test("whatever dies, is lost, late or twice: never two seeders, never no copy, always an end, all of a group or none", async () => {
  await fc.assert(
    fc.asyncProperty(
      tape,
      fc.integer({ min: 1, max: 3 }),
      fc.boolean(),
      async (numbers, torrents, stopped) => {
        const world = new HandOffWorld(numbers, { torrents, stopped });
        await liveOn(world);
        const history = world.history.join("\n");
        expect(world.violations, history).toEqual([]);
        expect(world.isAtRest, history).toBe(true);
        // A request that has its effect after its process was dead may split a group, at no copy's cost.
        const present = world.ids.map((id) => world.source.get(id)!.isPresent);
        expect(world.hadLateRequests || new Set(present).size === 1, history).toBe(true);
        // What ran before runs on one of the sides; what a person had stopped runs at home or not at all.
        const isRight = world.ids.map((id) => {
          const { isPresent, isRunning } = world.source.get(id)!;
          return isPresent ? isRunning === !stopped : world.home.get(id)!.isRunning;
        });
        expect(isRight, history).not.toContain(false);
      },
    ),
    { numRuns },
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
