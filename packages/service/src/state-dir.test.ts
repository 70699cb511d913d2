import { mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";

import { createMetrics } from "./metrics.ts";
import { openStateDir } from "./state-dir.ts";
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
