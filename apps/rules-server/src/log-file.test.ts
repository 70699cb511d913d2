import { tempDir } from "@qbit-sidecars/testing";
import { readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LogFile, logPath } from "./log-file.ts";

test("what is written goes to both", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "x.log");
  const seen: string[] = [];
  const file = new LogFile(path, { write: (text) => seen.push(text) });
  file.write("one\n");
  file.write("two\n");
  expect(seen).toEqual(["one\n", "two\n"]);
  await expect(readFile(path, "utf8")).resolves.toBe("one\ntwo\n");
});

test("a place that cannot be written is told of, and the output goes on", () => {
  const seen: string[] = [];
  const file = new LogFile("/proc/nowhere/x.log", { write: (text) => seen.push(text) });
  file.write("one\n");
  expect(file.problem).toContain("/proc/nowhere/x.log: ENOENT");
  expect(seen).toEqual(["one\n"]);
});

test("it does not grow for ever", async () => {
  await using dir = await tempDir();
  const path = join(dir.path, "x.log");
  new LogFile(path, { write: () => {} }).write("begun\n");
  await truncate(path, 11 * 1024 * 1024);
  new LogFile(path, { write: () => {} }).write("after\n");
  await expect(readFile(path, "utf8")).resolves.toBe("after\n");
  expect((await stat(`${path}.1`)).size).toBe(11 * 1024 * 1024);
});

test("a disk that fills up later is told of once, and the output goes on", async () => {
  await using dir = await tempDir();
  const seen: string[] = [];
  const file = new LogFile("/dev/full", { write: (text) => seen.push(text), isTTY: true, columns: 120 });
  for (const line of ["one\n", "two\n"]) file.write(line);
  expect(seen.map((text) => text.replace(/: E.*/u, ""))).toEqual([
    "writing the log file /dev/full\n",
    "one\n",
    "two\n",
  ]);
  // What it writes to is what it is to whoever asks.
  expect([file.isTTY, file.columns]).toEqual([true, 120]);
  const plain = new LogFile(join(dir.path, "x.log"), { write: () => {} });
  expect([plain.isTTY, plain.columns]).toEqual([false, 80]);
});

test("it is in the config folder unless told otherwise, and nowhere if that is empty", () => {
  expect(
    [undefined, "/l.log", ""].map((logFile) => logPath({ logFile, configDir: "/home/me/rules" })),
  ).toEqual(["/home/me/rules/qbt-rules.log", "/l.log", undefined]);
});
