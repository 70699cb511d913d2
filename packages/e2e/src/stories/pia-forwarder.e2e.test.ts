import { qbittorrentVersionsUnderTest } from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import { setPiaStage } from "../pia-stage.ts";
import { piaForwarderStories } from "./pia-forwarder.ts";

describe.each(qbittorrentVersionsUnderTest())("pia-forwarder's bundle beside qBittorrent %s", (version) => {
  test("every story that `npm start` tells comes true", async () => {
    await using stage = await setPiaStage({ version });
    for (const story of piaForwarderStories) {
      await expect(
        story.play(stage, () => {}),
        story.title,
      ).resolves.toBeUndefined();
    }
  });
});
