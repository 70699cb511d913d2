import { describe, expect, test } from "vitest";
import { isMissing } from "@qbit-sidecars/testing";
import { RulesStage } from "../rules-stage.ts";
import { rulesServerStories } from "./rules-server.ts";

describe.skipIf(await isMissing("qBittorrent 5.3.0"))("rules-server's bundle", () => {
  test("every story that `npm start` tells comes true", async () => {
    await using stage = await RulesStage.set();
    for (const story of rulesServerStories) {
      await expect(
        story.play(stage, () => {}),
        story.title,
      ).resolves.toBeUndefined();
    }
  });

  test("has the page inside", async () => {
    await using stage = await RulesStage.set();
    const page = await fetch(stage.url);
    expect(await page.text()).toContain('src="page/main.js"');
    const script = await fetch(`${stage.url}/page/main.js`);
    expect(script.headers.get("content-type")).toContain("text/javascript");
    expect(await script.text()).toContain('from "./api.js"');
  });
});
