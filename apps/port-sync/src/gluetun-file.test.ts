import { tempDir, waitFor } from "@qbit-sidecars/testing";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, rename, rm, truncate, unlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { PortFile } from "./gluetun-file.ts";

const clock = {
  now: () => Date.now(),
  sleep: (ms: number, signal?: AbortSignal) => setTimeout(ms, undefined, signal ? { signal } : {}),
};
const { signal } = new AbortController();

/** A port file in a folder that does not exist yet. */
async function setUp({ debounceMs = 0, index = 1 } = {}) {
  const folder = await tempDir();
  const path = join(folder.path, "gluetun", "forwarded_port");
  return {
    path,
    file: new PortFile({ path, index, debounceMs, clock }),
    async write(text: string) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

/** Root may read everything, so a test run by root lends itself another user. */
function asUnprivilegedUser(): Disposable {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  return { [Symbol.dispose]: () => (root ? process.seteuid?.(0) : undefined) };
}

describe("reading the port file", () => {
  test("gives the port, and a mark that only a new write changes", async () => {
    await using at = await setUp();
    await at.write("51413");
    const first = await at.file.read(signal);
    expect(first).toMatchObject({ kind: "port", port: 51413, source: "file" });
    expect(await at.file.read(signal)).toEqual(first);
    await at.write("51413");
    await utimes(at.path, new Date(), new Date(Date.now() - 5000));
    expect(await at.file.read(signal)).not.toEqual(first);
  });

  test("waits until a file that is being written has been left alone", async () => {
    await using at = await setUp({ debounceMs: 200 });
    await at.write("");
    const reading = at.file.read(signal);
    await at.write("51413");
    expect(await reading).toMatchObject({ kind: "port", port: 51413 });
  });

  test("does not wait for a file dated in the future, as on a volume with a skewed clock", async () => {
    await using at = await setUp({ debounceMs: 60_000 });
    await at.write("51413");
    await utimes(at.path, new Date(), new Date(Date.now() + 3_600_000));
    expect(await at.file.read(signal)).toMatchObject({ port: 51413 });
  });

  test("ends at once when it is no longer wanted", async () => {
    await using at = await setUp({ debounceMs: 60_000 });
    await at.write("51413");
    const stop = new AbortController();
    const reading = at.file.read(stop.signal);
    stop.abort();
    await expect(reading).rejects.toThrow(/abort/iu);
  });

  test("a missing file or folder means that the VPN forwards no port", async () => {
    await using at = await setUp();
    expect(await at.file.read(signal)).toEqual({
      kind: "none",
      why: `there is no port file at ${at.path}`,
      cleared: true,
    });
  });

  test("a file of one gigabyte is refused by its first kilobyte", async () => {
    await using at = await setUp();
    await at.write("51413");
    await truncate(at.path, 2 ** 30);
    expect(await at.file.read(signal)).toEqual({
      kind: "none",
      why: "the port file is longer than 1024 bytes, so it is not gluetun's",
      cleared: false,
    });
  });

  test.each([
    ["a folder", (path: string) => mkdir(path, { recursive: true })],
    [
      "a pipe nobody writes to",
      async (path: string) => {
        await mkdir(dirname(path), { recursive: true });
        execFileSync("mkfifo", [path]);
      },
    ],
  ])("%s in its place does not hold the reader up", async (_what, make) => {
    await using at = await setUp();
    await make(at.path);
    expect(await at.file.read(signal)).toMatchObject({ kind: "none", cleared: false });
  });

  test("a file that may not be read says so and takes no port away", async () => {
    await using at = await setUp();
    await at.write("51413");
    await chmod(at.path, 0o000);
    using _user = asUnprivilegedUser();
    expect(await at.file.read(signal)).toMatchObject({
      cleared: false,
      why: expect.stringContaining("read access"),
    });
  });
});

describe("watching the port file", () => {
  test.each([
    ["events alone", 0],
    ["looking alone is enough too", 20],
  ])("hears of every change: %s", async (_name, pollMs) => {
    await using at = await setUp();
    let changes = 0;
    await using _watch = at.file.watch({ pollMs, onChange: () => (changes += 1), onError: () => {} });
    const folder = dirname(at.path);
    const steps: [string, () => Promise<unknown>][] = [
      ["the folder and the file appear", () => at.write("1111")],
      ["written in place", () => at.write("2222")],
      ["cleared", () => truncate(at.path, 0)],
      ["written again", () => at.write("2222")],
      ["removed", () => unlink(at.path)],
      ["made anew", () => at.write("3333")],
      [
        "renamed over",
        async () => {
          await writeFile(`${at.path}.new`, "4444");
          await rename(`${at.path}.new`, at.path);
        },
      ],
      ["the folder is removed", () => rm(folder, { recursive: true })],
      ["the folder is made anew", () => at.write("5555")],
      ["written in the new folder", () => at.write("66666")],
    ];
    for (const [what, step] of steps) {
      const before = changes;
      await step();
      await waitFor(() => changes > before, { timeoutMs: 5000, what: `hearing that: ${what}` });
    }
  });

  test("a file that may not be read is no change again and again", async () => {
    await using at = await setUp();
    await at.write("1111");
    await chmod(at.path, 0o000);
    using _user = asUnprivilegedUser();
    await at.file.read(signal);
    let changes = 0;
    let looks = 0;
    const counting = {
      now: clock.now,
      sleep: (ms: number, end?: AbortSignal) => clock.sleep(ms, end).then(() => void (looks += 1)),
    };
    const file = new PortFile({ path: at.path, index: 1, debounceMs: 0, clock: counting });
    await file.read(signal);
    await using _watch = file.watch({ pollMs: 10, onChange: () => (changes += 1), onError: () => {} });
    await waitFor(() => looks > 5, { timeoutMs: 5000, what: "five looks" });
    // One at the most: what beginning to watch makes of it.
    expect(changes).toBeLessThanOrEqual(1);
  });

  test("looking alone hears of a change that no event tells of", async () => {
    await using at = await setUp();
    await at.write("1111");
    await at.file.read(signal);
    // Written before the watch begins, so that there is nothing to hear.
    await at.write("22222");
    let changes = 0;
    await using _watch = at.file.watch({ pollMs: 20, onChange: () => (changes += 1), onError: () => {} });
    await waitFor(() => changes > 0, { timeoutMs: 5000, what: "noticing what was written" });
    expect(await at.file.read(signal)).toMatchObject({ port: 22_222 });
  });
});
