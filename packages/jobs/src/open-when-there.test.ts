import { createLog } from "@qbit-sidecars/service";
import { freePort, tempDir } from "@qbit-sidecars/testing";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openQueue } from "./open-queue.ts";
import { openQueueWhenThere } from "./open-when-there.ts";
import type { OpenQueueOptions } from "./queue-options.ts";

/** Opens with a clock on which only waiting takes time; `onSleep` is told of each wait. */
async function opening(options: OpenQueueOptions, { withinMs, onSleep }: Opening = {}) {
  const lines: { level: string; msg: string }[] = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = await createLog({ name: "test", level: "debug", format: "json", output });
  const slept: number[] = [];
  let elapsedMs = 0;
  const stopping = new AbortController();
  const clock = {
    now: () => elapsedMs,
    monotonic: () => elapsedMs,
    async sleep(ms: number, signal?: AbortSignal) {
      slept.push(ms);
      elapsedMs += ms;
      await onSleep?.(stopping);
      signal?.throwIfAborted();
    },
  };
  const { signal } = stopping;
  const outcome = openQueueWhenThere(options, {
    log,
    clock,
    signal,
    ...(withinMs !== undefined && { withinMs }),
  });
  return { outcome, slept, lines };
}

type Opening = { withinMs?: number; onSleep?: (stopping: AbortController) => void | Promise<void> };

async function nowhere(): Promise<OpenQueueOptions> {
  return { backend: "redis", url: `redis://127.0.0.1:${await freePort()}` };
}

test("a Redis that is not there is waited for, longer each time, and then it is told of", async () => {
  const { outcome, slept, lines } = await opening(await nowhere(), { withinMs: 10_000 });
  await expect(outcome).rejects.toMatchObject({ fault: "unreachable" });
  expect(slept).toEqual([500, 1000, 2000, 4000, 8000]);
  expect(lines.map(({ level }) => level)).toEqual(["warn", "debug", "debug", "debug", "debug"]);
  expect(lines[0]?.msg).toContain("the job queue is not there yet: reaching Redis at 127.0.0.1");
});

test("whoever is to stop meanwhile stops", async () => {
  const { outcome, slept } = await opening(await nowhere(), {
    onSleep: (stopping) => stopping.abort(new Error("SIGTERM")),
  });
  await expect(outcome).rejects.toThrow("SIGTERM");
  expect(slept).toEqual([500]);
});

test("what waiting does not cure is told of at once", async () => {
  await using dir = await tempDir("jobs-");
  const options = { backend: "sqlite", path: join(dir.path, "q.db") } as const;
  await using _owner = await openQueue(options);
  const { outcome, slept } = await opening(options);
  await expect(outcome).rejects.toMatchObject({ fault: "in use" });
  expect(slept).toEqual([]);
});
