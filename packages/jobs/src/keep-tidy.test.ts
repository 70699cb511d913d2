import { createLog } from "@qbit-sidecars/service";
import { FakeClock, tempDir } from "@qbit-sidecars/testing";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keepTidy } from "./keep-tidy.ts";
import { openQueue } from "./open-queue.ts";

async function memoryLog() {
  const lines: Record<string, unknown>[] = [];
  const output = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { lines, log: await createLog({ name: "test", level: "info", format: "json", output }) };
}

test("what of the index does not fit the records is set right, and told of as a warning", async () => {
  const { lines, log } = await memoryLog();
  const queue = {
    removeEnded: async () => 0,
    repair: async () => ({ found: ["2 pending jobs stood in no queue"] }),
  };
  const { signal } = new AbortController();
  const options = { olderThanMs: 60_000, clock: new FakeClock(), log, random: Math.random, signal };
  await using tidy = keepTidy(queue, options);
  await tidy.settled();
  expect(lines).toMatchObject([{ level: "warn", found: ["2 pending jobs stood in no queue"] }]);
});

test("jobs that ended a week ago are gone an hour later at the latest, without anybody asking", async () => {
  await using dir = await tempDir("jobs-");
  const clock = new FakeClock();
  await using queue = await openQueue({ backend: "sqlite", path: join(dir.path, "q.db"), clock });
  const { job } = await queue.enqueue({ context: "x" });
  await queue.cancel(job.id);
  const { log } = await memoryLog();
  const { signal } = new AbortController();
  const week = 7 * 86_400_000;
  await using tidy = keepTidy(queue, { olderThanMs: week, clock, log, random: Math.random, signal });
  await tidy.settled();
  await clock.advance(week - 3_600_000);
  await expect(queue.get(job.id)).resolves.toMatchObject({ status: "cancelled" });
  await clock.advance(2 * 3_600_000);
  await expect(queue.get(job.id)).resolves.toBeUndefined();
});
