import { qbittorrentVersionsUnderTest } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { setStage } from "../stage.ts";
import { portSyncStories } from "./port-sync.ts";

describe.each(qbittorrentVersionsUnderTest())("port-sync's bundle beside qBittorrent %s", (version) => {
  test("every story that `npm start` tells comes true", async () => {
    await using stage = await setStage({ version });
    for (const story of portSyncStories) {
      await expect(
        story.play(stage, () => {}),
        story.title,
      ).resolves.toBeUndefined();
    }
  });
});
