import { isMissing } from "@qbit-sidecars/testing";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { HandOffStage, victims } from "./hand-off-stage.ts";

const isLong = process.env["QBIT_SIDECARS_LONG"] === "1";
const rounds = isLong ? 208 : 4;
const seed = Number(process.env["QBIT_SIDECARS_SEED"] ?? 20_261_128);

vi.setConfig({ testTimeout: isLong ? 7_200_000 : 300_000 });

/** What qbsync-source is about to do when it says so, in this order. */
const steps = ["begin", "mark", "stop", "start there", "remove", "tell removed"];

/** Every step with every victim comes once in 24 rounds; the seed gives the moment after it. */
function* strikes(
  count: number,
): Generator<{ round: number; step: string; victim: (typeof victims)[number]; afterMs: number }> {
  let random = seed;
  for (let round = 0; round < count; round += 1) {
    random = (random * 48_271) % 2_147_483_647;
    const at = count < 24 ? round * 7 : round;
    yield {
      round,
      step: steps[at % steps.length] ?? "begin",
      victim: victims[Math.floor(at / steps.length) % victims.length] ?? "home",
      afterMs: random % 60,
    };
  }
}

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("a hand-off between real qBittorrents", () => {
  test(`whoever is killed or restarted at whichever step: never two seeders, never no copy, always an end (seed ${seed})`, async () => {
    await using stage = await HandOffStage.set();
    const ends = { "handed off": 0, "taken back": 0 };
    for (const { round, step, victim, afterMs } of strikes(rounds)) {
      const where = `round ${round}: ${victim}, ${afterMs} ms after "${step}"`;
      const heard = stage.hears(`: ${step}`);
      const made = await stage.add(`round ${round}`);
      await heard;
      await delay(afterMs);
      await stage.strike(victim);
      const end = await stage.end(made);
      ends[end] += 1;
      if (end === "taken back")
        await stage.clients.seedbox.torrents.delete([made.torrentId], { deleteFiles: true });
      expect(await stage.isWholeAtHome(made), where).toBe(true);
      expect(stage.seenTwice, `${where}\n${await stage.describe(made)}`).toEqual([]);
      if (isLong) process.stderr.write(`${where}: ${end}\n`);
      await stage.clients.home.torrents.delete([made.torrentId], { deleteFiles: true });
    }
    if (isLong)
      process.stderr.write(`${rounds} rounds, ${JSON.stringify(ends)}, ${stage.looks} looks at both sides\n`);
    expect(ends["handed off"]).toBeGreaterThan(0);
  });
});
