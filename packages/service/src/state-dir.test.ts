import { mkdir, readFile, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";

import { createMetrics } from "./metrics.ts";
import { newerFormat, openStateDir } from "./state-dir.ts";
import { memoryLog } from "./test-log.ts";

async function open(dir: string) {
  const { log, lines } = await memoryLog();
  const metrics = createMetrics({ name: "test", version: "1" });
  const state = await openStateDir({
    dir,
    promise: "a new port is asked for after every restart",
    log,
    metrics,
  });
  const gauge = async () => /^state_dir_writable (\d)$/m.exec(await metrics.registry.metrics())?.[1];
  return { state, lines, gauge };
}

test("makes the directory and keeps what is written for the next start", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "a", "b");
  const first = await open(path);
  expect(await first.state.write("lease.json", "{}")).toBe(true);
  const second = await open(path);
  expect(await second.state.read("lease.json")).toBe("{}");
  expect(await second.state.read("absent")).toBeUndefined();
  expect(await second.gauge()).toBe("1");
  expect(second.lines).toEqual([]);
  expect(await readdir(path)).toEqual(["lease.json"]);
});

test("a file that cannot be used is given another name, so that the next write does not destroy it", async () => {
  await using dir = await tempDir();
  const { state, lines } = await open(dir.path);
  await writeFile(join(dir.path, "ledger.json"), "of tomorrow");
  const name = (await state.setAside("ledger.json")) ?? "";
  expect(name).toMatch(/^ledger\.json\.set-aside-\d{4}-\d\d-\d\dT[\d-]+Z$/u);
  await state.write("ledger.json", "of today");
  await expect(readFile(join(dir.path, name), "utf8")).resolves.toBe("of tomorrow");
  expect(lines).toEqual([]);
  expect(await state.setAside("nothing.json")).toBeUndefined();
  expect(lines).toMatchObject([{ level: "warn", msg: expect.stringContaining("setting a kept file aside") }]);
});

test("a file that no state of ours can be is not read", async () => {
  await using dir = await tempDir();
  await writeFile(join(dir.path, "ledger.json"), "");
  await truncate(join(dir.path, "ledger.json"), 65 * 1024 * 1024);
  const { state, lines } = await open(dir.path);
  expect(await state.read("ledger.json")).toBeUndefined();
  expect(lines[0]?.msg).toContain("going on without it");
});

test("only a newer format is newer", () => {
  expect(newerFormat('{ "version": 3, "more": 1 }', 2)).toBe(
    "it was written by a newer version (its format is 3, the newest known here is 2)",
  );
  for (const text of ['{"version":2}', '{"version":1}', '{"versions":3}', "", "3", '{"version":"3"}'])
    expect(newerFormat(text, 2)).toBeUndefined();
});

// A file in the way instead of permissions: for root, which runs tests in containers, nothing is forbidden.
test("a directory that cannot be written is a warning with the weaker promise, a metric, and no crash", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "state");
  await writeFile(path, "in the way");
  const { state, lines, gauge } = await open(path);
  expect(state.writable()).toBe(false);
  expect(await state.write("lease.json", "{}")).toBe(false);
  expect(await gauge()).toBe("0");
  expect(lines.map(({ level, msg }) => `${level}: ${msg}`)).toEqual([
    "warn: STATE_DIR cannot be written, so a new port is asked for after every restart",
  ]);
  expect(JSON.stringify(lines)).toContain("EEXIST");
});

test("is used again as soon as it can be written", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "state");
  await writeFile(path, "in the way");
  const { state, lines, gauge } = await open(path);
  await rm(path);
  expect(await state.write("lease.json", "{}")).toBe(true);
  expect(await gauge()).toBe("1");
  expect(lines.at(-1)?.msg).toBe("STATE_DIR can be written again");
});

test("a directory that vanishes while the app runs is made again", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "state");
  const { state } = await open(path);
  await rm(path, { recursive: true });
  expect(await state.write("lease.json", "{}", { mode: 0o640 })).toBe(true);
  expect(await readFile(join(path, "lease.json"), "utf8")).toBe("{}");
  expect((await stat(join(path, "lease.json"))).mode & 0o777).toBe(0o640);
});

test("removes what a kill in the middle of a write has left, and nothing else", async () => {
  await using dir = await tempDir();
  await writeFile(join(dir.path, ".lease.json.0b1c2d3e-0000-4000-8000-000000000000.tmp"), "half");
  await writeFile(join(dir.path, "notes.tmp"), "mine");
  await open(dir.path);
  expect(await readdir(dir.path)).toEqual(["notes.tmp"]);
});

test("kept state that cannot be read is told and treated as absent", async () => {
  await using dir = await tempDir();
  await mkdir(join(dir.path, "lease.json"));
  const { state, lines } = await open(dir.path);
  expect(await state.read("lease.json")).toBeUndefined();
  expect(lines.map(({ msg }) => msg)).toEqual(["reading kept state; going on without it"]);
});
