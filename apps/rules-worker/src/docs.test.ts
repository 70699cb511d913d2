import { settingsTable } from "@qbit-sidecars/config";
import { readmeBlock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { settings } from "./config.ts";

test("the README's table of settings is the one in force", async () => {
  await expect(
    readmeBlock(new URL("../README.md", import.meta.url), "settings", settingsTable(settings)),
  ).resolves.toBeUndefined();
});
