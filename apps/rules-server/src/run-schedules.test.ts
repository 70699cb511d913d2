import type { Enqueued, Job, JobWish } from "@qbit-sidecars/jobs";
import { createLog } from "@qbit-sidecars/service";
import { FakeClock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { runSchedules } from "./run-schedules.ts";
import { readSchedules } from "./schedules.ts";

const start = Date.UTC(2026, 10, 20, 12, 0, 30);

async function running(env: Record<string, string>, { dryRun = false } = {}) {
  const clock = new FakeClock(start);
  const stop = new AbortController();
  const wishes: (JobWish & { at: string })[] = [];
  const jobs = new Map<string, Pick<Job, "id" | "status">>();
  const log = await createLog({ name: "test", level: "silent", format: "json", output: { write: () => {} } });
  const status = { next: "completed" as Job["status"] };
  runSchedules(await readSchedules(undefined, env), {
    clock,
    log,
    random: () => 0.5,
    signal: stop.signal,
    dryRun,
    queue: {
      async enqueue(wish) {
        wishes.push({ ...wish, at: new Date(clock.now()).toISOString().slice(11, 19) });
        const job = { id: String(wishes.length), status: status.next };
        jobs.set(job.id, job);
        return { job, coalesced: false } as Enqueued;
      },
      get: async (id) => jobs.get(id) as Job | undefined,
    },
  });
  return { clock, wishes, status, [Symbol.dispose]: () => stop.abort() };
}

test("a job is queued at each time, with its context", async () => {
  using at = await running({
    QBT_RULES_SCHEDULE_1_CRON: "*/5 * * * *",
    QBT_RULES_SCHEDULE_1_CONTEXT: "often",
  });
  await at.clock.advance(15 * 60_000);
  expect(at.wishes.map(({ at: time, context }) => [time, context])).toEqual([
    ["12:05:00", "often"],
    ["12:10:00", "often"],
    ["12:15:00", "often"],
  ]);
});

test("a time is left out while the job before is not over", async () => {
  using at = await running({ QBT_RULES_SCHEDULE_1_CRON: "* * * * *" });
  at.status.next = "processing";
  await at.clock.advance(5 * 60_000);
  expect(at.wishes).toHaveLength(1);
});

test("jitter starts it later by a part of it", async () => {
  using at = await running({ QBT_RULES_SCHEDULE_1_CRON: "0 13 * * *", QBT_RULES_SCHEDULE_1_JITTER: "10m" });
  await at.clock.advance(2 * 3_600_000);
  expect(at.wishes.map(({ at: time }) => time)).toEqual(["13:05:00"]);
});

test("a server that only plans queues dry runs", async () => {
  using at = await running({ QBT_RULES_SCHEDULE_1_CRON: "* * * * *" }, { dryRun: true });
  await at.clock.advance(60_000);
  expect(at.wishes).toMatchObject([{ dryRun: true }]);
});
