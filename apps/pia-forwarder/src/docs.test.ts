import { readCommandLine, settingsTable } from "@qbit-sidecars/config";
import { readmeBlock } from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { settings } from "./config.ts";

const readme = new URL("../README.md", import.meta.url);
const program = { name: "pia-forwarder", version: "0", about: "", settings };

test("the README's table of settings is the one in force", async () => {
  await expect(readmeBlock(readme, "settings", settingsTable(settings))).resolves.toBeUndefined();
});

test("what the README's Compose file and commands set is understood", async () => {
  const text = await readFile(readme, "utf8");
  const [, service = ""] = text.split("\n  pia-forwarder:\n");
  const [environment = ""] = (service.split("environment:\n")[1] ?? "").split("\n    secrets:");
  const compose = [...environment.matchAll(/^ {6}([A-Z_]+): (.+)$/gm)].map(([, name, value]) => [
    name,
    value,
  ]);
  const byHand = [...(/^export (.*)$/m.exec(text)?.[1] ?? "").matchAll(/([A-Z_]+)=(\S+)/g)].map(
    ([, name, value]) => [name, value],
  );
  for (const given of [compose, byHand]) {
    expect(given.length).toBeGreaterThan(3);
    const read = await readCommandLine(program, {
      argv: [],
      env: Object.fromEntries(given) as Record<string, string>,
      readFile: () => Promise.resolve({ ok: true, text: "secret\n" }),
    });
    expect(read).toMatchObject({ kind: "run", warnings: [], config: { piaUsername: "p1234567" } });
    expect(read.kind === "run" && read.config.piaPassword?.reveal()).toBe("secret");
  }
});
