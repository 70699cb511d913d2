import { isMissing } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { HandOffStage } from "./hand-off-stage.ts";

vi.setConfig({ testTimeout: 240_000 });

const sizeBytes = 6_000_000;

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("cross-seeds between real qBittorrents", () => {
  test("added at the same time, their file is sent once, both are whole at home, and they are handed over together", async () => {
    await using stage = await HandOffStage.set({ env: { QBSYNC_SOURCE_RATE_LIMIT: "3MB" } });
    const add = (source: string) => stage.add("film", { seed: "film", source, sizeBytes });
    const pair = await Promise.all([add("one tracker"), add("another")]);
    const together = stage.hears("handing over film.bin, film.bin");
    await together;
    const waited = stage.destination?.lines.map(({ msg }) => msg) ?? [];
    expect(waited).toContainEqual(expect.stringContaining("waits: it has a file in common with film.bin"));
    for (const made of pair) {
      expect(await stage.end(made)).toBe("handed off");
      expect((await stage.at("home", made))?.progress).toBe(1);
    }
    expect(await stage.isWholeAtHome(pair[0])).toBe(true);
    expect(stage.seenTwice).toEqual([]);
    const metrics = await (await fetch(`${stage.destinationUrl}/metrics`)).text();
    expect(Number(/^qbsync_received_bytes_total (\d+)$/mu.exec(metrics)?.[1])).toBe(sizeBytes);
  });
});
