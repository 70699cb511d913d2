import { readCommandLine, settingsTable } from "@qbit-sidecars/config";
import { readmeBlock } from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { settings } from "./config.ts";
import { hookCommand } from "./install-hooks.ts";

test("the README's table of settings is the one in force", async () => {
  await expect(
    readmeBlock(new URL("../README.md", import.meta.url), "settings", settingsTable(settings)),
  ).resolves.toBeUndefined();
});

test.each([
  ["hook-added", "track"],
  ["hook-finished", "done"],
])("the README's %s is the command that install-hooks installs", async (block, path) => {
  const command = hookCommand(path, { url: "http://localhost:9090" });
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, shown = ""] = new RegExp(`<!-- ${block}:start -->([^]*?)<!-- ${block}:end -->`).exec(readme) ?? [];
  expect(shown).toContain(`   ${command}\n`);
});

test("the README's Compose example sets only what exists", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, shown = ""] = /<!-- compose:start -->([^]*?)<!-- compose:end -->/u.exec(readme) ?? [];
  const names = [...shown.matchAll(/^ {6}([A-Z_]+): (.*)$/gmu)].map(([, name = "", value = ""]) => [
    name,
    value.replaceAll('"', ""),
  ]);
  expect(names.length).toBeGreaterThan(4);
  const result = await readCommandLine(
    { name: "ntfy-sidecar", version: "0", about: "", settings },
    {
      argv: [],
      env: Object.fromEntries(names) as Record<string, string>,
      readFile: () => Promise.resolve({ ok: true, text: "from the secret\n" }),
    },
  );
  expect(result).toMatchObject({
    kind: "run",
    warnings: [],
    config: { installHooks: true, qbitUser: "admin" },
  });
  const known = new Set(
    settings.declared.flatMap(({ env }) => env.flatMap((name) => [name, `${name}_FILE`])),
  );
  expect(names.map(([name]) => name).filter((name = "") => !known.has(name))).toEqual([]);
});
