import { Secret } from "@qbit-sidecars/config";
import { createLog } from "@qbit-sidecars/service";
import { FakeClock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { ApiKeys } from "./api-keys.ts";

async function keysOf(text: string) {
  const clock = new FakeClock(0);
  const lines: string[] = [];
  const output = { write: (line: string) => void lines.push(line) };
  const log = await createLog({ name: "test", level: "info", format: "json", output });
  const file = { text };
  const keys = new ApiKeys(new Secret(text, async () => file.text), { clock, log });
  return { keys, clock, file, lines };
}

test.each([
  ["one", ["one"]],
  ["one,two", ["one", "two"]],
  ["one\ntwo\r\n three \n", ["one", "two", "three"]],
  ["a,key,with,commas", ["a,key,with,commas"]],
  ["schl\u00fcssel", ["schl\u00fcssel"]],
])("%j holds the keys %j", async (text, keys) => {
  const at = await keysOf(text);
  for (const key of keys) await expect(at.keys.accept(key)).resolves.toBe(true);
  for (const key of ["", "on", "one ", "onee", undefined])
    await expect(at.keys.accept(key)).resolves.toBe(false);
});

test("a rotated key is taken within a second, and the one before no longer", async () => {
  const { keys, clock, file } = await keysOf("old");
  file.text = "old,new";
  await clock.advance(1000);
  await expect(keys.accept("new")).resolves.toBe(true);
  await expect(keys.accept("old")).resolves.toBe(true);
  file.text = "new";
  await clock.advance(1000);
  await expect(keys.accept("old")).resolves.toBe(false);
  file.text = "";
  await clock.advance(1000);
  await expect(keys.accept("new")).resolves.toBe(true);
});

test("whoever tries ten thousand keys gets a handful of lines, and no key is in them", async () => {
  const { keys, lines } = await keysOf("right");
  for (let at = 0; at < 10_000; at += 1) await keys.accept(`wrong-${at}`);
  expect(lines).toHaveLength(5);
  expect(lines.join("")).not.toContain("wrong");
  await expect(keys.accept("right")).resolves.toBe(true);
});
