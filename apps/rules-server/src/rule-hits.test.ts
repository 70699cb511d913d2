import type { Job, JobQueue, QueueChange } from "@qbit-sidecars/jobs";
import { createLog } from "@qbit-sidecars/service";
import { expect, test } from "vitest";
import { RuleHits } from "./rule-hits.ts";

type Done = Pick<Job, "id" | "result" | "completedAt" | "dryRun">;

const done = (id: string, rules: unknown, changes: Partial<Done> = {}): Done => ({
  id,
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever stands in a job of another version
  result: { rules, rules_version: `v-${id}` } as Job["result"],
  completedAt: `2026-01-01T00:00:0${id}.000Z`,
  dryRun: false,
  ...changes,
});

async function hitsOf(jobs: Done[], { fail = false } = {}) {
  const log = await createLog({ name: "test", level: "silent", format: "json", output: { write: () => {} } });
  const at = {
    isAway: fail,
    lists: 0,
    listeners: new Set<(change: QueueChange) => void>(),
    late: new Map<string, Done>(),
  };
  const queue = {
    async list() {
      at.lists += 1;
      await new Promise(setImmediate);
      if (at.isAway) throw new Error("the queue is away");
      return { total: jobs.length, limit: 100, offset: 0, jobs };
    },
    async get(id: string) {
      // As long as a server's answer takes.
      await new Promise(setImmediate);
      if (at.isAway) throw new Error("the queue is away");
      return at.late.get(id);
    },
    subscribe(listener: (change: QueueChange) => void) {
      at.listeners.add(listener);
      return () => at.listeners.delete(listener);
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the three methods that it uses
  const hits = new RuleHits(queue as unknown as JobQueue, log);
  const tell = (change: QueueChange) => at.listeners.forEach((listener) => listener(change));
  return { at, hits, tell };
}

test("counts what jobs say of themselves: no dry run, nothing twice, nothing that it does not know", async () => {
  const { hits } = await hitsOf([
    done("1", { one: 2, two: 1 }),
    done("1", { one: 2 }),
    done("2", { one: 1 }),
    done("3", { one: 9 }, { dryRun: true }),
    done("4", "another version's"),
    done("5", null, { result: null }),
    done("6", { three: 1 }, { completedAt: null }),
  ]);
  expect(Object.fromEntries(await hits.all())).toEqual({
    one: { count: 3, last: "2026-01-01T00:00:02.000Z" },
    two: { count: 1, last: "2026-01-01T00:00:01.000Z" },
    three: { count: 1, last: null },
  });
});

test("the version is that of the job that ended last, in whatever order jobs are listed", async () => {
  for (const ids of [
    ["3", "2", "1"],
    ["1", "2", "3"],
  ]) {
    const { hits } = await hitsOf(ids.map((id) => done(id, {})));
    await hits.all();
    expect(hits.version).toBe("v-3");
  }
});

test("a clean-up that tells of changes three hundred times is read after twice at most", async () => {
  const jobs = [done("1", { one: 1 })];
  const { at, hits, tell } = await hitsOf(jobs);
  await hits.all();
  const before = at.lists;
  for (let times = 0; times < 300; times += 1) tell({ kind: "everything" });
  jobs.unshift(done("2", { one: 1 }));
  tell({ kind: "everything" });
  expect((await hits.all()).get("one")?.count).toBe(2);
  expect(at.lists - before).toBeLessThanOrEqual(2);
});

test("what was missed while the queue was away is read when it is back, and nothing is counted again", async () => {
  const jobs = [done("1", { one: 1 })];
  const { hits, tell } = await hitsOf(jobs);
  await hits.all();
  jobs.unshift(done("2", { one: 1 }));
  tell({ kind: "everything" });
  expect((await hits.all()).get("one")?.count).toBe(2);
  tell({ kind: "everything" });
  expect((await hits.all()).get("one")?.count).toBe(2);
});

test("is kept up with what the queue tells, and a job that is gone already is no fault", async () => {
  const { at, hits, tell } = await hitsOf([]);
  await hits.all();
  at.late.set("7", done("7", { one: 1 }));
  tell({ kind: "everything" });
  for (const id of ["gone", "7"]) tell({ kind: "job", id, status: "completed" });
  tell({ kind: "job", id: "7", status: "failed" });
  expect((await hits.all()).get("one")?.count).toBe(1);
  at.isAway = true;
  tell({ kind: "job", id: "8", status: "completed" });
  expect((await hits.all()).get("one")?.count).toBe(1);
  hits[Symbol.dispose]();
  expect(at.listeners.size).toBe(0);
});

test("a queue that was away is asked again", async () => {
  const { at, hits } = await hitsOf([done("1", { one: 1 })], { fail: true });
  await expect(hits.all()).rejects.toThrow("away");
  expect(at.listeners.size).toBe(0);
  at.isAway = false;
  expect((await hits.all()).get("one")?.count).toBe(1);
});
