import { QueueUnavailableError, RunLostError } from "@qbit-sidecars/jobs";
import { waitFor } from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { describe, expect, test, vi } from "vitest";
import { doRun } from "./do-run.ts";
import { Told } from "./told.ts";
import { patienceDefaults } from "./put-off.ts";
import { startWorker } from "./worker.ts";
import { hashOf, rule, tag, torrents, world } from "./worker-under-test.ts";

vi.setConfig({ testTimeout: 30_000 });

const notify = {
  type: "notify",
  params: { service: "generic", url: "http://127.0.0.1:1/", message: "${info.name}" },
};

describe("a job", () => {
  test("is done, told of in its result, its details and the audit log", async () => {
    await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(3) } });
    const worker = at.start();
    const { job } = await at.queue.enqueue({ hash: hashOf(1) });
    const done = await at.over(job.id);
    expect(done).toMatchObject({
      status: "completed",
      result: { total_torrents: 1, rules_matched: 1, actions_executed: 1, rules: { "a rule": 1 } },
    });
    await expect(at.queue.details(job.id)).resolves.toMatchObject({
      entries: [{ hash: hashOf(1), action: "add_tag", before: [], after: ["x"], result: "done" }],
    });
    await expect(at.audit()).resolves.toMatchObject([{ jobs: [job.id], hash: hashOf(1), rule: "a rule" }]);
    // Counted once it is recorded.
    await expect.poll(() => worker.status().lastJobCompleted).not.toBeNull();
    expect(await at.metrics.registry.metrics()).toContain(
      'qbt_rules_actions_total{action="add_tag",result="done"} 1',
    );
  });

  test("with a context that no rule has says so, since nothing else tells that it is misspelt", async () => {
    const rules = { rules: [{ ...rule(tag), context: "torrent-imported" }] };
    await using at = await world({ rules, fake: { torrents: torrents(3) } });
    at.start();
    const { job } = await at.queue.enqueue({ context: "torrent-importd" });
    expect(await at.over(job.id)).toMatchObject({
      status: "completed",
      result: {
        rules_matched: 0,
        note: 'no rule names the context "torrent-importd"; those there are: torrent-imported',
      },
    });
  });

  test("of many about one torrent each shares their run and has an account of its own", async () => {
    await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(30) } });
    const jobs = await Promise.all(
      torrents(30).map(async ({ hash }) => (await at.queue.enqueue({ hash })).job),
    );
    const stranger = (await at.queue.enqueue({ hash: "f".repeat(40) })).job;
    at.start();
    for (const { id, hash } of jobs) {
      expect(await at.over(id)).toMatchObject({
        status: "completed",
        result: { total_torrents: 1, actions_executed: 1 },
      });
      expect(await at.queue.details(id)).toMatchObject({ entries: [{ hash }] });
    }
    expect(at.fake.calls.count("torrents/addTags")).toBe(1);
    expect(await at.over(stranger.id)).toMatchObject({
      status: "completed",
      result: { total_torrents: 0, not_ready: expect.stringContaining("does not know it") },
    });
  });

  test("that names a hybrid torrent by its v1 infohash, as a hook's %I does, is done for it", async () => {
    const [v1, v2] = ["a".repeat(40), "b".repeat(64)];
    const fake = { torrents: [{ name: "t-hybrid", hash: v1, infohashV2: v2 }, ...torrents(2)] };
    await using at = await world({ rules: { rules: [rule(tag)] }, fake });
    at.start();
    const jobs = await Promise.all(
      [v1, hashOf(1)].map(async (hash) => (await at.queue.enqueue({ hash })).job),
    );
    for (const { id } of jobs)
      expect(await at.over(id)).toMatchObject({ status: "completed", result: { actions_executed: 1 } });
    const id = v2.slice(0, 40);
    expect(await at.audit()).toContainEqual(expect.objectContaining({ hash: id, jobs: [jobs[0]?.id] }));
  });

  test("with a trace tells of every torrent it named, by whichever name", async () => {
    const v2 = "b".repeat(64);
    const fake = { torrents: [{ name: "t-hybrid", hash: "a".repeat(40), infohashV2: v2 }, ...torrents(1)] };
    await using at = await world({ rules: { rules: [rule(tag)] }, fake });
    at.start();
    const hashes = ["a".repeat(40), hashOf(0)];
    const jobs = await Promise.all(
      hashes.map(async (hash) => (await at.queue.enqueue({ hash, trace: true })).job),
    );
    const traced = [];
    for (const { id } of jobs) {
      await at.over(id);
      traced.push(await at.queue.details(id));
    }
    expect(traced).toMatchObject([
      { trace: [{ hash: v2.slice(0, 40), name: "t-hybrid" }] },
      { trace: [{ hash: hashOf(0), name: "t0" }] },
    ]);
  });

  test("that names no torrent at all is over at once, and says so", async () => {
    await using at = await world({ rules: { rules: [rule(tag)] } });
    at.start();
    const { job } = await at.queue.enqueue({ hash: "abc" });
    expect(await at.over(job.id)).toMatchObject({
      status: "completed",
      result: { note: "no torrent has the id abc: an infohash has 40 or 64 hex digits" },
    });
    expect(at.fake.calls.count()).toBe(0);
  });

  test.each([
    { cap: 2, deleted: 5 },
    { cap: 0, deleted: 0 },
  ])(
    "counts by itself against max_deletes of $cap, however many are done in its run: what it may does not hang on when it came",
    async ({ cap, deleted }) => {
      const rules = {
        safety: { max_deletes: cap, min_age: "0s" },
        rules: [rule({ type: "delete_torrent", params: { delete_files: false } })],
      };
      await using at = await world({ rules, fake: { torrents: torrents(30) } });
      const hashes = torrents(5).map(({ hash }) => hash);
      const jobs = await Promise.all(hashes.map(async (hash) => (await at.queue.enqueue({ hash })).job));
      at.start();
      const done = await Promise.all(jobs.map(async ({ id }) => await at.over(id)));
      expect(new Set(done.map((job) => job?.startedAt)).size).toBe(1);
      expect(at.fake.torrents).toHaveLength(30 - deleted);
      // One that asks for all of them at once is held to it, and says so.
      const { job: all } = await at.queue.enqueue({});
      await at.over(all.id);
      expect(at.fake.torrents).toHaveLength(30 - deleted);
      const reason = expect.stringContaining(`more than max_deletes (${cap})`);
      expect(await at.queue.details(all.id)).toMatchObject({
        held: Array.from({ length: 30 - deleted }, () => ({ reason })),
      });
    },
  );

  test("tells how much of a dry run would be done, apart from what is right already, and its torrent's name", async () => {
    await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(2) } });
    at.start();
    const { job } = await at.queue.enqueue({ hash: hashOf(1) });
    expect(await at.over(job.id)).toMatchObject({ result: { torrent_name: "t1", actions_executed: 1 } });
    const { job: plan } = await at.queue.enqueue({ dryRun: true });
    expect(await at.over(plan.id)).toMatchObject({
      result: { actions_planned: 1, actions_skipped: 2, actions_executed: 0 },
    });
  });

  test("is only planned where the worker is told so", async () => {
    await using at = await world({
      rules: { rules: [rule(tag)] },
      fake: { torrents: torrents(1) },
      dryRun: true,
    });
    at.start();
    const { job } = await at.queue.enqueue({ hash: hashOf(0) });
    await expect(at.over(job.id)).resolves.toMatchObject({ result: { actions_executed: 0, dry_run: true } });
    expect(at.fake.calls.count("torrents/addTags")).toBe(0);
  });

  test("fails with the place of the mistake when there are no rules, and the next one works when there are", async () => {
    await using at = await world({ rules: { rules: [{ name: "x" }] }, fake: { torrents: torrents(1) } });
    at.start();
    const failed = (await at.queue.enqueue({ hash: hashOf(0) })).job;
    await expect(at.over(failed.id)).resolves.toMatchObject({
      status: "failed",
      error: expect.stringMatching(/rules\.yml:1:\d+: rule "x"/),
    });
    await writeFile(at.rulesPath, JSON.stringify({ rules: [rule(tag)] }));
    const next = (await at.queue.enqueue({ hash: hashOf(0) })).job;
    await expect(at.over(next.id)).resolves.toMatchObject({ status: "completed" });
  });

  test("that meets a fault of ours fails with its trace, and the worker goes on", async () => {
    await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(1) } });
    const right = at.work.rules;
    let calls = 0;
    at.work.rules = {
      async current() {
        calls += 1;
        if (calls > 1) return await right.current();
        throw new TypeError("x is not a function");
      },
    };
    at.start();
    const failed = (await at.queue.enqueue({ context: "a" })).job;
    const error = (await at.over(failed.id)).error ?? "";
    expect(error).toMatch(/^x is not a function\ntrace_id: [0-9a-f-]{36}\nTypeError: .*\n +at /);
    const [, traceId] = /trace_id: (\S+)/.exec(error) ?? [];
    expect(at.lines.find((line) => line["traceId"] === traceId)).toMatchObject({ level: "error" });
    const next = (await at.queue.enqueue({ context: "b" })).job;
    await expect(at.over(next.id)).resolves.toMatchObject({ status: "completed" });
  });
});

test("a rule tells of a torrent once, also after a restart", async () => {
  await using at = await world({ rules: { rules: [rule(notify)] }, fake: { torrents: torrents(2) } });
  at.start();
  const run = async (context: string) => await at.over((await at.queue.enqueue({ context })).job.id);
  await run("first");
  await run("second");
  expect(at.sent).toHaveLength(2);
  at.work.told = new Told(at.auditPath);
  at.fake.addTorrent({ name: "t-new" });
  await run("third");
  expect(at.sent).toHaveLength(3);
});

describe("qBittorrent", () => {
  test("that lost most of its torrents is not believed the second time either", async () => {
    const rules = { safety: { max_deletes_percent: 100 }, rules: [rule({ type: "delete_torrent" })] };
    const fake = { torrents: torrents(30).map((torrent) => ({ ...torrent, name: `x${torrent.name}` })) };
    await using at = await world({ rules, fake });
    at.start();
    const run = async (context: string) => await at.over((await at.queue.enqueue({ context })).job.id);
    await run("whole");
    for (const { hash } of fake.torrents.slice(3)) at.fake.removeTorrent(hash);
    at.fake.updateTorrent(hashOf(0), { name: "t0" });
    for (const context of ["short", "still short"])
      expect(await run(context)).toMatchObject({ result: { total_torrents: 3, actions_executed: 0 } });
    expect(at.fake.torrents).toHaveLength(3);
  });

  test("that is away keeps all jobs waiting, however often it is looked for, and gets them when it is back", async () => {
    await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(3) } });
    let looks = 0;
    const { isThere } = at.work;
    at.work.isThere = async (signal) => {
      looks += 1;
      return await isThere(signal);
    };
    await at.fake.down();
    const worker = at.start();
    const { job } = await at.queue.enqueue({ hash: hashOf(0) });
    await waitFor(() => worker.status().state === "qBittorrent away", { what: "it to be missed" });
    await expect(at.queue.get(job.id)).resolves.toMatchObject({
      status: "pending",
      attempts: 1,
      dueAt: expect.any(String),
      waitsFor: expect.stringMatching(/refused.*; it is waited for until .*Z$/),
    });
    const later = [{ context: "a" }, { context: "b", hash: hashOf(1) }, { context: "a", hash: hashOf(2) }];
    const jobs = [job, ...(await Promise.all(later.map(async (wish) => (await at.queue.enqueue(wish)).job)))];
    await waitFor(() => looks > 10, { what: "it to be looked for" });
    for (const { id } of jobs) await expect(at.queue.get(id)).resolves.toMatchObject({ status: "pending" });
    await at.fake.up();
    for (const { id } of jobs)
      expect(await at.over(id)).toMatchObject({ status: "completed", attempts: id === job.id ? 2 : 1 });
    await expect.poll(() => worker.status().qbittorrentFault).toBeUndefined();
    expect(at.lines.filter(({ msg }) => msg.includes("refused"))).toHaveLength(1);
  });

  test("that refuses the login keeps jobs waiting too, and is told of as an error", async () => {
    await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(1) } });
    at.fake.faults.set("*", { kind: "answer", status: 403, body: "Forbidden" });
    at.start();
    const { job } = await at.queue.enqueue({});
    await waitFor(async () => (await at.queue.get(job.id))?.waitsFor, { what: "the job to wait" });
    expect(at.lines.find(({ level }) => level === "error")?.msg).toMatch(/login/);
    at.fake.faults.clear();
    await expect(at.over(job.id)).resolves.toMatchObject({ status: "completed" });
  });

  test("that answers and still cannot be read for one job does not hold up the others", async () => {
    await using at = await world({
      rules: { rules: [rule(tag)] },
      fake: { torrents: torrents(2) },
      patience: { delaysMs: [60_000] },
    });
    at.fake.faults.next("torrents/info", { kind: "answer", status: 500 });
    at.start();
    const { job } = await at.queue.enqueue({ context: "a" });
    await waitFor(async () => (await at.queue.get(job.id))?.waitsFor, { what: "the job to wait" });
    const other = await at.queue.enqueue({ context: "b" });
    await expect(at.over(other.job.id)).resolves.toMatchObject({ status: "completed" });
    await expect(at.queue.get(job.id)).resolves.toMatchObject({ status: "pending" });
  });

  test("that stays away for too long fails jobs with the reason", async () => {
    await using at = await world({
      rules: { rules: [rule(tag)] },
      fake: { torrents: torrents(1) },
      patience: { forMs: 50 },
      lookingOut: { mostMs: 30 },
    });
    await at.fake.down();
    const worker = at.start();
    const { job } = await at.queue.enqueue({ hash: hashOf(0) });
    const over = await at.over(job.id);
    expect(over).toMatchObject({
      status: "failed",
      error: expect.stringMatching(/refused.*; it was waited for since .*Z$/),
    });
    expect(over?.attempts).toBeGreaterThanOrEqual(4);
    expect(worker.status().qbittorrentFault).toContain("refused");
    await at.fake.up();
    const next = (await at.queue.enqueue({ hash: hashOf(0) })).job;
    await expect(at.over(next.id)).resolves.toMatchObject({ status: "completed" });
    await expect.poll(() => worker.status().qbittorrentFault).toBeUndefined();
  });

  test("that restarts in the middle of a run gets the job when it is back", async () => {
    await using at = await world({
      rules: { rules: [rule(tag)] },
      fake: { torrents: torrents(1) },
      patience: { delaysMs: [200] },
    });
    at.fake.faults.next("torrents/info", { kind: "reset" }, 2);
    at.start();
    const { job } = await at.queue.enqueue({});
    await expect(at.over(job.id)).resolves.toMatchObject({
      status: "completed",
      result: { actions_executed: 1 },
    });
  });

  test("that lists a torrent late gets its rules all the same", async () => {
    await using at = await world({
      rules: { rules: [rule(tag)] },
      queue: { notReadyDelaysMs: [100, 5000, 5000] },
    });
    at.start();
    const { job } = await at.queue.enqueue({ hash: hashOf(7) });
    await waitFor(async () => (await at.queue.get(job.id))?.waitsFor, { what: "the job to wait" });
    at.fake.addTorrent({ name: "t7", hash: hashOf(7) });
    await expect(at.over(job.id)).resolves.toMatchObject({
      status: "completed",
      result: { rules_matched: 1 },
    });
  });
});

describe("the fence", () => {
  test("a worker that lost its run writes and sends nothing more", async () => {
    await using at = await world({ rules: { rules: [rule(tag, notify)] }, fake: { torrents: torrents(2) } });
    await at.queue.enqueue({});
    const run = await at.queue.take({ signal: new AbortController().signal });
    const lost = new AbortController();
    const error = new RunLostError("lease", "it was silent for too long");
    const losing = {
      ...run,
      id: run.id,
      jobs: run.jobs,
      hashes: run.hashes,
      context: run.context,
      dryRun: run.dryRun,
      trace: run.trace,
      signal: lost.signal,
      assertHeld: async () => {
        lost.abort(error);
        throw error;
      },
    };
    await expect(
      doRun(losing, {
        ...at.work,
        patience: { ...patienceDefaults, fromMs: 0 },
        signal: new AbortController().signal,
      }),
    ).rejects.toBe(error);
    expect(at.fake.calls.count("torrents/addTags")).toBe(0);
    expect(at.sent).toEqual([]);
    await run[Symbol.asyncDispose]();
  });

  test("what is sent has a key that is the same in every attempt, and another for each torrent and job", async () => {
    const always = { ...notify, params: { ...notify.params, once: false } };
    await using at = await world({ rules: { rules: [rule(always)] }, fake: { torrents: torrents(2) } });
    const keys = () => at.sent.map(({ headers }) => headers?.["idempotency-key"]);
    const { job } = await at.queue.enqueue({});
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await using run = await at.queue.take({ signal: new AbortController().signal });
      expect(run.jobs.map(({ id }) => id)).toEqual([job.id]);
      await doRun(run, {
        ...at.work,
        patience: { ...patienceDefaults, fromMs: 0 },
        signal: new AbortController().signal,
      });
    }
    const [one, two, again, twoAgain] = keys();
    expect([again, twoAgain]).toEqual([one, two]);
    expect(one).not.toBe(two);
    await at.queue.cancel(job.id);
    const other = (await at.queue.enqueue({})).job;
    at.start();
    await at.over(other.id);
    expect(keys().slice(4)).not.toContain(one);
    expect(keys()).not.toContain(undefined);
  });
});

test("a run that hangs is given up with the reason, writes nothing later, and the next one runs", async () => {
  await using at = await world({
    rules: { rules: [rule(tag)] },
    fake: { torrents: torrents(2) },
    queue: { hungAfterMs: 300, leaseMs: 1000 },
    timeoutMs: 20_000,
  });
  at.fake.faults.next("torrents/info", { kind: "hang" });
  at.start();
  const hung = (await at.queue.enqueue({ context: "hangs" })).job;
  await expect(at.over(hung.id)).resolves.toMatchObject({
    status: "failed",
    error: expect.stringMatching(/progress|hung/),
  });
  const next = (await at.queue.enqueue({ hash: hashOf(1) })).job;
  await expect(at.over(next.id)).resolves.toMatchObject({ status: "completed" });
  expect(at.fake.calls.count("torrents/addTags")).toBe(1);
});

describe("a worker that is told to stop", () => {
  test("as it reads its rules leaves nothing behind that ends the process", async () => {
    await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(1) } });
    const { job } = await at.queue.enqueue({});
    await using run = await at.queue.take({ signal: new AbortController().signal });
    const stop = new AbortController();
    const rules = {
      async current() {
        stop.abort(new Error("the worker stops"));
        return await at.work.rules.current();
      },
    };
    let asked = 0;
    at.work.qbittorrent.webApi = async () => {
      asked += 1;
      throw new Error("nobody waits for this any more");
    };
    const patience = { ...patienceDefaults, fromMs: 0 };
    const did = await doRun(run, { ...at.work, rules, patience, signal: stop.signal });
    expect(did.settlements).toEqual([{ id: job.id, outcome: { kind: "returned" } }]);
    // Vitest fails for a rejection that nobody handles, as Node does.
    await waitFor(() => asked > 0, { what: "the run to fail by itself" });
    await new Promise(setImmediate);
  });

  test("ends the run under way first", async () => {
    await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(1) } });
    at.fake.faults.next("torrents/info", { kind: "latency", ms: 400 });
    const worker = at.start();
    const { job } = await at.queue.enqueue({});
    await waitFor(() => worker.status().state === "running", { what: "the run" });
    await at.stop();
    await expect(at.queue.get(job.id)).resolves.toMatchObject({ status: "completed" });
    expect(worker.status().state).toBe("stopped");
  });

  test("gives back jobs that take too long, with no attempt counted", async () => {
    await using at = await world({
      rules: { rules: [rule(tag)] },
      fake: { torrents: torrents(1) },
      finishMs: 50,
      timeoutMs: 20_000,
    });
    at.fake.faults.next("torrents/info", { kind: "hang" });
    const worker = at.start();
    const { job } = await at.queue.enqueue({});
    await waitFor(() => worker.status().state === "running", { what: "the run" });
    await at.stop();
    await expect(at.queue.get(job.id)).resolves.toMatchObject({ status: "pending", attempts: 0 });
  });
});

test("a queue that is away for a while, before a run and when one is recorded, loses nothing", async () => {
  await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(1) } });
  const { queue } = at.work;
  const away = () => new QueueUnavailableError("the disk is full");
  let [takes, settles] = [0, 0];
  const clock = { ...at.work.clock, sleep: async () => {} };
  const worker = startWorker({
    ...at.work,
    clock,
    queue: {
      async take(options) {
        if ((takes += 1) === 1) throw away();
        const run = await queue.take(options);
        const settle = run.settle.bind(run);
        run.settle = async (settlements) => {
          if ((settles += 1) === 1) throw away();
          await settle(settlements);
        };
        return run;
      },
    },
  });
  const { job } = await at.queue.enqueue({});
  await expect(at.over(job.id)).resolves.toMatchObject({ status: "completed" });
  expect(at.fake.calls.count("torrents/addTags")).toBe(1);
  expect(settles).toBe(2);
  expect(at.lines.filter(({ msg }) => msg.includes("tried every second"))).toHaveLength(2);
  await at.stop();
  await worker[Symbol.asyncDispose]();
});

test("a run that was lost when its end was to be recorded is told of, and the worker goes on", async () => {
  await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(1) } });
  const { queue } = at.work;
  let takes = 0;
  const worker = startWorker({
    ...at.work,
    queue: {
      async take(options) {
        const run = await queue.take(options);
        if ((takes += 1) === 1)
          run.settle = async () => {
            throw new RunLostError("lease", "another worker may have taken its jobs");
          };
        return run;
      },
    },
  });
  const { job } = await at.queue.enqueue({});
  // It is pending again once the run is let go of, and done by the second one.
  await expect(at.over(job.id)).resolves.toMatchObject({ status: "completed" });
  expect(takes).toBe(2);
  expect(at.lines.filter(({ msg }) => msg.includes("not brought to its end"))).toMatchObject([
    { level: "warn", jobs: 1 },
  ]);
  await at.stop();
  await worker[Symbol.asyncDispose]();
});

test("changes are told of in the log where the audit log cannot be written", async () => {
  await using at = await world({ rules: { rules: [rule(tag)] }, fake: { torrents: torrents(1) } });
  const { openAuditLog } = await import("./audit-log.ts");
  at.work.audit = openAuditLog("/nowhere/audit.jsonl", at.work.log);
  at.start();
  await at.over((await at.queue.enqueue({})).job.id);
  expect(at.lines.filter(({ audit }) => audit !== undefined)).toMatchObject([{ msg: "add_tag: t0" }]);
  expect(at.lines.find(({ level }) => level === "warn")?.msg).toContain("/nowhere/audit.jsonl");
});
