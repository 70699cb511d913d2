import { type JobQueue, openQueue } from "@qbit-sidecars/jobs";
import {
  freePort,
  isMissing,
  startFakeQbittorrent,
  startRedis,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { program } from "./program.ts";

vi.setConfig({ testTimeout: 60_000 });

type Line = { readonly level: string; readonly msg: string };

const hashOf = (n: number) => n.toString(16).padStart(40, "0");
const rules = `
rules:
  - name: tag what was added
    context: on_added
    conditions: [{ field: info.progress, operator: ">=", value: 0 }]
    actions: [{ type: add_tag, params: { tag: seen } }]
`;

/** The whole worker in this process, on settings of the test's choice. */
async function startWorkerUnderTest(env: Readonly<Record<string, string>>) {
  const folder = await tempDir("rules-worker-");
  await writeFile(join(folder.path, "rules.yml"), rules);
  const health = `http://127.0.0.1:${await freePort()}`;
  const lines: Line[] = [];
  const signals = new Map<string, (...args: never[]) => void>();
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  let stderr = "";
  const process = {
    argv: ["node", "main.js"],
    env: { QBT_RULES_CONFIG_DIR: folder.path, HEALTH_ADDR: health.slice(7), LOG_FORMAT: "json", ...env },
    stdout: { write: (text: string) => (text === "" ? 0 : lines.push(JSON.parse(text) as Line)) },
    stderr: { write: (text: string) => (stderr += text) },
    on: (event: string, listener: (...args: never[]) => void) => signals.set(event, listener),
    exit,
    exitCode: undefined as number | string | null | undefined,
  };
  const running = program(process);
  running.catch(() => exit(-1));
  const stop = async () => {
    signals.get("SIGTERM")?.();
    return await exited;
  };
  return {
    running,
    process,
    lines,
    stderr: () => stderr,
    stop,
    probe: async (path: string) => {
      const answer = await fetch(health + path);
      return { status: answer.status, text: await answer.text() };
    },
    async [Symbol.asyncDispose]() {
      if (process.exitCode === undefined) await stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function isOver(queue: JobQueue, id: string): Promise<boolean> {
  const status = (await queue.get(id))?.status;
  return status === "completed" || status === "failed";
}

describe("without a Redis", () => {
  test("a queue in SQLite: it ends with 2 and says who runs the jobs there", async () => {
    await using worker = await startWorkerUnderTest({ QBT_RULES_QUEUE_BACKEND: "sqlite" });
    await worker.running;
    expect(worker.process.exitCode).toBe(2);
    expect(worker.stderr()).toMatch(/SQLite file.*rules-server, which then runs the jobs itself/u);
  });

  test("no settings: it ends with 2 and says what to set", async () => {
    await using worker = await startWorkerUnderTest({});
    await worker.running;
    expect(worker.process.exitCode).toBe(2);
    expect(worker.stderr()).toContain("QBT_RULES_QUEUE_REDIS_URL");
  });
});

describe.skipIf(await isMissing("Redis"))("on a Redis", () => {
  test("jobs that others ask for are done in qBittorrent, and a stop in between loses none", async () => {
    await using redis = await startRedis({ appendOnly: true });
    const torrents = Array.from({ length: 4 }, (_, n) => ({ name: `t${n}`, hash: hashOf(n) }));
    await using fake = await startFakeQbittorrent({ torrents });
    const env = { QBT_RULES_QUEUE_REDIS_URL: redis.url, QBT_RULES_QBITTORRENT_HOST: fake.url };
    await using queue = await openQueue({ backend: "redis", url: redis.url });
    const ask = async (n: number) => (await queue.enqueue({ context: "on_added", hash: hashOf(n) })).job.id;
    const tagged = () => fake.calls.list("torrents/addTags").map(({ params }) => String(params["hashes"]));
    {
      await using worker = await startWorkerUnderTest(env);
      const id = await ask(0);
      await waitFor(async () => await isOver(queue, id), { what: "the job to be over", timeoutMs: 30_000 });
      await expect(queue.get(id)).resolves.toMatchObject({
        status: "completed",
        result: { rules_matched: 1, actions_executed: 1 },
      });
      expect((await worker.probe("/readyz")).status).toBe(200);
      expect((await worker.probe("/livez")).status).toBe(200);
      await expect(queue.workers()).resolves.toBe(1);
      await expect(worker.stop()).resolves.toBe(0);
    }
    await expect(queue.workers()).resolves.toBe(0);
    const waiting = await ask(1);
    await expect(queue.get(waiting)).resolves.toMatchObject({ status: "pending" });
    await using _first = await startWorkerUnderTest(env);
    await using _standBy = await startWorkerUnderTest(env);
    await waitFor(async () => await isOver(queue, waiting), {
      what: "the job to be over",
      timeoutMs: 30_000,
    });
    expect(tagged()).toEqual([hashOf(0), hashOf(1)]);
  });

  test("without rules it is alive and not ready, and says why", async () => {
    await using redis = await startRedis({ appendOnly: true });
    await using fake = await startFakeQbittorrent();
    await using worker = await startWorkerUnderTest({
      QBT_RULES_QUEUE_REDIS_URL: redis.url,
      QBT_RULES_QBITTORRENT_HOST: fake.url,
      QBT_RULES_RULES_FILE: "/nowhere/rules.yml",
    });
    const isOpen = async () => (await worker.probe("/readyz")).text.includes('"rules"');
    await waitFor(isOpen, { what: "the queue to be open", timeoutMs: 20_000 });
    const { status, text } = await worker.probe("/readyz");
    expect([status, JSON.parse(text).checks.rules]).toEqual([503, { ok: false, detail: "none" }]);
    expect((await worker.probe("/livez")).status).toBe(200);
  });

  test("a Redis that is late is waited for, healthy and not ready meanwhile", async () => {
    const port = await freePort();
    await using fake = await startFakeQbittorrent({ torrents: [{ name: "t", hash: hashOf(1) }] });
    await using worker = await startWorkerUnderTest({
      QBT_RULES_QUEUE_REDIS_URL: `redis://127.0.0.1:${port}`,
      QBT_RULES_QBITTORRENT_HOST: fake.url,
    });
    await waitFor(() => worker.lines.some(({ msg }) => msg.includes("not there yet")), {
      what: "the warning",
    });
    expect((await worker.probe("/livez")).status).toBe(200);
    expect((await worker.probe("/readyz")).text).toContain("waiting for the queue");
    await using redis = await startRedis({ port });
    await waitFor(async () => (await worker.probe("/readyz")).status === 200, {
      what: "the worker to be ready",
      timeoutMs: 40_000,
    });
    await using queue = await openQueue({ backend: "redis", url: redis.url });
    const { job } = await queue.enqueue({ context: "on_added", hash: hashOf(1) });
    await waitFor(async () => await isOver(queue, job.id), { what: "the job to be over", timeoutMs: 30_000 });
    expect(worker.lines.some(({ msg }) => msg.includes("keeps nothing on disk"))).toBe(true);
  });
});
