import { freePort, isMissing, startRedis, waitFor } from "@qbit-sidecars/testing";
import fc from "fast-check";
import { Redis } from "ioredis";
import { describe, expect, test, vi } from "vitest";
import type { JobQueue, Run } from "../contract.ts";
import { QueueOpenError, QueueUnavailableError, RunLostError } from "../errors.ts";
import { examineQueue } from "../examine-queue.ts";
import { openQueue } from "../open-queue.ts";
import { type RedisQueueOptions } from "../queue-options.ts";

vi.setConfig({ testTimeout: 60_000 });

type ServerOptions = NonNullable<Parameters<typeof startRedis>[0]>;

async function setUp(server: ServerOptions = { appendOnly: true }, options: Partial<RedisQueueOptions> = {}) {
  await using closers = new AsyncDisposableStack();
  const redis = closers.use(await startRedis(server));
  const direct = new Redis(redis.url);
  direct.on("error", () => {});
  closers.defer(() => direct.disconnect());
  const owned = closers.move();
  const open = async () => owned.use(await openQueue({ backend: "redis", url: redis.url, ...options }));
  return { redis, direct, open, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const take = async (queue: JobQueue) => await queue.take({ signal: AbortSignal.timeout(30_000) });
const complete = async (run: Run) =>
  await run.settle(run.jobs.map(({ id }) => ({ id, outcome: { kind: "completed", result: {} } })));

describe.skipIf(await isMissing("Redis"))("Redis under the queue", () => {
  test("one that removes keys when it is full is refused, with what to set", async () => {
    await using under = await setUp({ maxmemoryPolicy: "allkeys-lru", maxmemoryBytes: 50_000_000 });
    await expect(under.open()).rejects.toThrow(
      /maxmemory-policy allkeys-lru.*set maxmemory-policy to noeviction/u,
    );
    await expect(under.open()).rejects.toMatchObject({ fault: "evicts" });
  });

  test("one that may remove leases, or that keeps nothing, gets a warning that says what is lost", async () => {
    await using under = await setUp({ maxmemoryPolicy: "volatile-lru", maxmemoryBytes: 50_000_000 });
    const { warnings } = await under.open();
    expect(warnings).toEqual([
      expect.stringContaining("maxmemory-policy volatile-lru"),
      expect.stringMatching(/keeps nothing on disk.*all jobs are lost when it restarts/u),
    ]);
    await under.direct.config("SET", "save", "3600 1");
    const later = await under.open();
    expect(later.warnings[1]).toMatch(/only snapshots.*after a crash/u);
  });

  test("a newer version's queue is refused and left as it is; a look at a queue writes nothing", async () => {
    await using under = await setUp();
    const look = async () => await examineQueue({ backend: "redis", url: under.redis.url });
    await expect(look()).resolves.toMatchObject({ seen: "Redis answers", warnings: [] });
    expect(await under.direct.dbsize()).toBe(0);
    await under.open();
    await expect(under.direct.get("qbt_rules:queue:format")).resolves.toBe("1");
    await under.direct.set("qbt_rules:queue:format", "2");
    for (const attempt of [under.open, look])
      await expect(attempt()).rejects.toMatchObject({
        fault: "too new",
        message: expect.stringContaining("a newer version's (format 2; this one knows 1)"),
      });
    await expect(under.direct.get("qbt_rules:queue:format")).resolves.toBe("2");
  });

  test("one that keeps everything gets no warning", async () => {
    await using under = await setUp({ appendOnly: true });
    expect((await under.open()).warnings).toEqual([]);
  });

  test("one that is not there, or refuses the password, is said to be so, without the password", async () => {
    const url = `redis://:sesame@127.0.0.1:${await freePort()}`;
    const error = await openQueue({ backend: "redis", url }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(QueueOpenError);
    expect(error).toMatchObject({ fault: "unreachable" });
    expect(String(error)).not.toContain("sesame");
    await using redis = await startRedis({ password: "right" });
    const wrong = redis.url.replace("right", "sesame");
    for (const attempt of [openQueue, examineQueue]) {
      const refused = await attempt({ backend: "redis", url: wrong }).catch((reason: unknown) => reason);
      expect(refused).toMatchObject({
        fault: "unreachable",
        cause: { message: expect.stringMatching(/WRONGPASS/u) },
      });
    }
  });

  test("one that goes away refuses new jobs at once, and the queue goes on when it is back", async () => {
    await using under = await setUp();
    const queue = await under.open();
    const { job } = await queue.enqueue({ context: "before" });
    await under.redis.kill();
    await expect(queue.enqueue({ context: "meanwhile" })).rejects.toThrow(QueueUnavailableError);
    await expect(queue.health()).resolves.toMatchObject({ ok: false });
    await under.redis.start();
    await waitFor(async () => (await queue.health()).ok, { what: "the queue to be healthy" });
    await using run = await take(queue);
    expect(run.jobs).toMatchObject([{ id: job.id }]);
  });

  test("one that is away does not keep a process from ending", async () => {
    await using under = await setUp();
    const queue = await under.open();
    const idle = queue.take({ signal: AbortSignal.timeout(60_000) });
    await waitFor(async () => (await queue.workers()) === 1, { what: "the worker to be counted" });
    await under.redis.kill();
    await expect(queue.health()).resolves.toMatchObject({ ok: false });
    let isClosed = false;
    const closing = queue[Symbol.asyncDispose]().then(() => (isClosed = true));
    await expect(idle).rejects.toThrow("the queue was closed");
    // Less than the 10 s after which a command is given up.
    await waitFor(() => isClosed, { what: "the queue to be closed", timeoutMs: 8_000 });
    await closing;
  });

  test("one that forgot everything is used anew, and still never has two runs", async () => {
    await using under = await setUp({});
    const [first, second] = [await under.open(), await under.open()];
    await under.redis.restart();
    await waitFor(async () => (await first.health()).ok && (await second.health()).ok, {
      what: "both queues",
    });
    await waitFor(async () => (await under.direct.hget("qbt_rules:doorbell:meta", "concurrency")) === "1", {
      what: "the limit of the bell",
    });
    await first.enqueue({ context: "a" });
    const run = await take(first);
    await first.enqueue({ context: "b" });
    const next = take(second);
    await run.assertHeld();
    await complete(run);
    await expect(next).resolves.toMatchObject({ context: "b" });
  });
});

describe.skipIf(await isMissing("Redis"))("several workers", () => {
  test("one that ends as a job comes in leaves it to the next at once, not after a lease", async () => {
    await using under = await setUp();
    const [ending, next] = [await under.open(), await under.open()];
    const stop = new AbortController();
    const idle = ending.take({ signal: stop.signal });
    await waitFor(async () => String(await under.direct.client("LIST")).includes("cmd=bzpopmin"), {
      what: "the worker to wait for the bell",
    });
    stop.abort(new Error("it stops"));
    await expect(idle).rejects.toThrow("it stops");
    const { job } = await next.enqueue({ context: "late" });
    await waitFor(async () => (await under.direct.llen("qbt_rules:doorbell:active")) === 1, {
      what: "the ring to be answered for nobody",
    });
    await ending[Symbol.asyncDispose]();
    const run = await next.take({ signal: AbortSignal.timeout(10_000) });
    expect(run.jobs).toMatchObject([{ id: job.id }]);
    await complete(run);
  });

  test("a worker that fell silent for a lease has lost its run: it writes and records nothing any more", async () => {
    await using under = await setUp({ appendOnly: true }, { leaseMs: 30_000, lookForLostEveryMs: 100 });
    const [frozen, other] = [await under.open(), await under.open()];
    const { job } = await frozen.enqueue({ context: "x" });
    const old = await take(frozen);
    await old.assertHeld();
    const locks = await under.direct.keys("qbt_rules:doorbell:*:lock");
    await under.direct.del(locks);
    const run = await take(other);
    expect(run.jobs).toMatchObject([{ id: job.id, attempts: 2 }]);
    expect(run.fence).toBeGreaterThan(old.fence);
    await expect(old.assertHeld()).rejects.toThrow(RunLostError);
    expect(old.signal.aborted).toBe(true);
    await expect(complete(old)).rejects.toThrow(RunLostError);
    await run.assertHeld();
    await complete(run);
    await expect(frozen.get(job.id)).resolves.toMatchObject({ status: "completed", attempts: 2 });
  });

  test("a run that began fences off the one before, even where BullMQ's limit was lost", async () => {
    await using under = await setUp();
    const [one, other] = [await under.open(), await under.open()];
    await one.enqueue({ context: "x" });
    const old = await take(one);
    await under.direct.hdel("qbt_rules:doorbell:meta", "concurrency");
    await one.enqueue({ context: "y" });
    const run = await take(other);
    await run.assertHeld();
    // Its lease is not over: the run itself is.
    await expect(complete(old)).rejects.toThrow(RunLostError);
    await expect(old.assertHeld()).rejects.toThrow(RunLostError);
    await run.assertHeld();
    await complete(run);
    await expect(one.counts()).resolves.toMatchObject({ processing: 0 });
  });

  test("a stand-by takes over as soon as a run ends", async () => {
    await using under = await setUp();
    const [one, standBy] = [await under.open(), await under.open()];
    await one.enqueue({ context: "a" });
    const run = await take(one);
    const next = take(standBy);
    await waitFor(async () => (await one.workers()) === 2, { what: "both workers to be counted" });
    await one.enqueue({ context: "b" });
    await complete(run);
    await expect(next).resolves.toMatchObject({ context: "b" });
  });

  test("changes are heard in other processes, and after a lost connection one is told to look again", async () => {
    await using under = await setUp();
    const [server, worker] = [await under.open(), await under.open()];
    const heard: string[] = [];
    server.subscribe((change) => heard.push(change.kind === "job" ? change.status : change.kind));
    await waitFor(() => heard.includes("everything"), { what: "the subscription" });
    await server.enqueue({ context: "x" });
    await complete(await take(worker));
    await waitFor(() => heard.includes("completed"), { what: "the end of the job" });
    heard.length = 0;
    await under.redis.restart();
    await waitFor(() => heard.includes("everything"), { what: "word to look again" });
  });

  test.each(["no JSON", '{"of":"tomorrow"}', '[["id","dreaming"]]'])(
    "what somebody else says where changes are told (%s) is word to look again",
    async (said) => {
      await using under = await setUp();
      const queue = await under.open();
      const heard: string[] = [];
      queue.subscribe((change) => heard.push(change.kind));
      await waitFor(() => heard.includes("everything"), { what: "the subscription" });
      heard.length = 0;
      await under.direct.publish("qbt_rules:changes", said);
      await waitFor(() => heard.length > 0, { what: "it to be heard" });
      expect(heard).toEqual(["everything"]);
    },
  );
});

describe.skipIf(await isMissing("Redis"))("records", () => {
  test("an index that was damaged in any way is made to fit the records again", async () => {
    await using under = await setUp({});
    const queue = await under.open();
    const { direct } = under;
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 12 }), async (harms) => {
        await direct.flushall();
        const ids: string[] = [];
        for (let n = 0; n < 6; n += 1)
          ids.push((await queue.enqueue({ context: `c${n % 2}`, hash: `${n}` })).job.id);
        await queue.cancel(ids[0] ?? "");
        const whole = await view(queue, direct);
        for (const { kind, nth } of harms) await harm(direct, kind, ids[nth] ?? "");
        await queue.repair();
        expect(await view(queue, direct)).toEqual(whole);
        await expect(queue.repair()).resolves.toEqual({ found: [] });
      }),
      { numRuns: process.env.QBIT_SIDECARS_LONG === "1" ? 400 : 30 },
    );
  });

  test("jobs whose bell was never rung are found", async () => {
    await using under = await setUp();
    const asking = await under.open();
    const { job } = await asking.enqueue({ context: "x" });
    // The process died between storing and ringing.
    await under.direct.del("qbt_rules:doorbell:wait", "qbt_rules:doorbell:marker");
    const worker = await under.open();
    await using run = await take(worker);
    expect(run.jobs).toMatchObject([{ id: job.id }]);
  });

  test("what qbt-rules 0.4 to 0.6 left in Redis is read, and what waited there runs", async () => {
    await using under = await setUp();
    const [done, waits] = ["0b5c7a7e-5cde-4d2c-9d4b-0f0f6a3c1d11", "9f0f8b1c-7a7e-4d2c-8d4b-0f0f6a3c1d22"];
    await under.direct.hset(`qbt_rules:jobs:${done}`, {
      id: done,
      context: "scheduled",
      hash: "",
      status: "completed",
      created_at: "2025-12-13T10:00:00+00:00",
      started_at: "2025-12-13T10:00:01+00:00",
      completed_at: "2025-12-13T10:00:05+00:00",
      result: '{"rules_matched": 3}',
      error: "",
    });
    await under.direct.hset(`qbt_rules:jobs:${waits}`, {
      id: waits,
      context: "on_added",
      status: "pending",
      created_at: "2025-12-13T11:00:00+00:00",
    });
    await under.direct.rpush("qbt_rules:queue:pending", waits);
    const queue = await under.open();
    await expect(queue.get(done)).resolves.toMatchObject({
      status: "completed",
      hash: null,
      error: null,
      completedAt: "2025-12-13T10:00:05.000Z",
      result: { rules_matched: 3 },
    });
    await expect(queue.list()).resolves.toMatchObject({ total: 2, jobs: [{ id: waits }, { id: done }] });
    await using run = await take(queue);
    expect(run.jobs).toMatchObject([{ id: waits, context: "on_added" }]);
  });

  test("ids that would be other keys of the queue are no jobs", async () => {
    await using under = await setUp();
    const queue = await under.open();
    const { job } = await queue.enqueue({ context: "x" });
    for (const id of ["status:pending", "by_time", "context:x", "", "*", `${job.id}\n`]) {
      await expect(queue.get(id)).resolves.toBeUndefined();
      await expect(queue.details(id)).resolves.toBeUndefined();
      await expect(queue.cancel(id)).resolves.toEqual({ kind: "not found" });
    }
  });
});

const damage = fc.record({
  kind: fc.constantFrom("status", "wrong status", "time", "context", "pending", "stray", "wishes"),
  nth: fc.nat(5),
});

async function harm(redis: Redis, kind: string, id: string): Promise<void> {
  const key = (name: string) => `qbt_rules:${name}`;
  if (kind === "status") await redis.srem(key("jobs:status:pending"), id);
  else if (kind === "wrong status") await redis.sadd(key("jobs:status:failed"), id);
  else if (kind === "time") await redis.zrem(key("jobs:by_time"), id);
  else if (kind === "context") await redis.srem(key("jobs:context:c0"), id);
  else if (kind === "pending") await redis.lrem(key("queue:pending"), 0, id);
  else if (kind === "stray")
    await redis.sadd(key("jobs:status:completed"), "00000000-0000-0000-0000-000000000000");
  else await redis.del(key("queue:wishes"));
}

/** Everything that can be asked of the index. */
async function view(queue: JobQueue, redis: Redis) {
  const pages = [
    {},
    { status: "pending" },
    { status: "cancelled" },
    { context: "c0" },
    { context: "c1" },
  ] as const;
  const lists = await Promise.all(
    pages.map(async (filter) => (await queue.list(filter)).jobs.map(({ id }) => id)),
  );
  const pending = await redis.lrange("qbt_rules:queue:pending", 0, -1);
  const wishes = await redis.hgetall("qbt_rules:queue:wishes");
  return { lists, counts: await queue.counts(), pending: pending.toSorted(), wishes };
}
