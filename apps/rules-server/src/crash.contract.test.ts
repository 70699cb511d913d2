import {
  type FakeQbittorrent,
  freePort,
  isMissing,
  type RunningRedis,
  startFakeQbittorrent,
  startRedis,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { testKey } from "./server-under-test.ts";

const isLong = process.env.QBIT_SIDECARS_LONG === "1";
const rounds = isLong ? 50 : 2;
const jobsInAll = isLong ? 1000 : 200;

vi.setConfig({ testTimeout: isLong ? 900_000 : 120_000 });

const rules =
  "rules: [{ name: tag, conditions: [{ field: info.size, operator: '>=', value: 0 }], actions: [{ type: add_tag, params: { tag: x } }] }]";
const hashes = Array.from({ length: jobsInAll }, (_, at) => at.toString(16).padStart(40, "0"));

/** A program of ours in a process of its own, which can be killed. */
class Mortal {
  readonly #main: string;
  readonly #env: Record<string, string>;
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;
  output = "";

  constructor(main: string, env: Record<string, string>, args: readonly string[] = []) {
    this.#main = main;
    this.#env = env;
    this.#args = args;
  }

  start(): void {
    const main = fileURLToPath(new URL(this.#main, import.meta.url));
    const child = spawn(process.execPath, [main, ...this.#args], {
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => (this.output = (this.output + String(text)).slice(-20_000)));
    this.#process = child;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    return child.exitCode;
  }

  async dieAndComeBack(): Promise<void> {
    await this.end("SIGKILL");
    this.start();
  }
}

async function ask(url: string, method: string, path: string): Promise<Record<string, unknown>> {
  const response = await fetch(url + path, { method, headers: { "x-api-key": testKey } });
  return (await response.json()) as Record<string, unknown>;
}

/** Submits every job until it is acknowledged, while what answers is killed at random. */
async function submitAll(url: string): Promise<string[]> {
  const ids = new Map<string, string>();
  const left = [...hashes];
  const line = async (): Promise<void> => {
    for (let hash = left.shift(); hash !== undefined; hash = left.shift()) {
      while (!ids.has(hash)) {
        const answer = await ask(url, "POST", `/api/execute?context=crash&hash=${hash}`).catch(
          () => undefined,
        );
        const id = answer?.["job_id"];
        if (typeof id === "string") ids.set(hash, id);
        else await sleep(20);
      }
      await sleep(5);
    }
  };
  await Promise.all(Array.from({ length: 4 }, line));
  return [...ids.values()];
}

type World = {
  readonly redis?: RunningRedis;
  /** Processes of rules-worker, which then do all the work. */
  readonly workers?: number;
};

/** All jobs are acknowledged and done, whoever is killed; each time it is somebody else's turn. The torrents then. */
async function survives({ redis, workers: count = 0 }: World): Promise<FakeQbittorrent["torrents"]> {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent({ torrents: hashes.map((hash) => ({ hash, name: "t" })) });
  await writeFile(join(folder.path, "rules.yml"), rules);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    QBT_RULES_CONFIG_DIR: folder.path,
    QBT_RULES_QBITTORRENT_HOST: fake.url,
    QBT_RULES_AUDIT_LOG: "",
    ...(redis && { QBT_RULES_QUEUE_BACKEND: "redis", QBT_RULES_QUEUE_REDIS_URL: redis.url }),
  };
  const serverEnv = {
    ...env,
    QBT_RULES_SERVER_HOST: "127.0.0.1",
    QBT_RULES_SERVER_PORT: String(port),
    QBT_RULES_SERVER_API_KEY: testKey,
    QBT_RULES_QUEUE_SQLITE_PATH: join(folder.path, "q.db"),
    QBT_RULES_LOG_FILE: "",
    ...(count > 0 && { QBT_RULES_WORKER: "off" }),
  };
  const server = new Mortal("main.ts", serverEnv, ["--serve"]);
  const workers: Mortal[] = [];
  const probes = [`${url}/healthz`];
  for (let nth = 0; nth < count; nth += 1) {
    const health = `127.0.0.1:${await freePort()}`;
    probes.push(`http://${health}/healthz`);
    workers.push(new Mortal("../../rules-worker/src/main.ts", { ...env, HEALTH_ADDR: health }));
  }
  const redisDies = async () => {
    await redis?.kill();
    await redis?.start();
  };
  const victims = [
    ...[server, ...workers].map((mortal) => async () => await mortal.dieAndComeBack()),
    ...(redis === undefined ? [] : [redisDies]),
  ];
  try {
    for (const mortal of [server, ...workers]) mortal.start();
    const submitted = submitAll(url);
    for (let round = 0; round < Math.max(rounds, victims.length); round += 1) {
      await waitFor(async () => (await fetch(`${url}/healthz`)).ok, {
        what: `the server to be up (${server.output.slice(-500)})`,
        timeoutMs: 30_000,
      });
      await sleep(Math.random() * 400);
      await victims[round % victims.length]?.();
    }
    const ids = await submitted;
    const isOver = async () => {
      const { jobs } = await ask(url, "GET", "/api/stats");
      const counts = jobs as Record<string, number>;
      return counts["pending"] === 0 && counts["processing"] === 0 ? counts : undefined;
    };
    const counts = await waitFor(isOver, {
      what: "all jobs to be over",
      timeoutMs: isLong ? 300_000 : 90_000,
    });
    // An answer may be lost after the job was stored; then it was asked for again, and there is one more.
    expect(counts).toMatchObject({ failed: 0, cancelled: 0 });
    expect(counts["completed"]).toBeGreaterThanOrEqual(jobsInAll);
    for (const id of ids)
      expect(await ask(url, "GET", `/api/jobs/${id}`)).toMatchObject({ status: "completed" });
    // One that has just been started again may not have come as far as hearing signals.
    for (const probe of probes)
      await waitFor(async () => (await fetch(probe)).ok, { what: `${probe} to answer` });
    for (const mortal of [server, ...workers]) expect(await mortal.end("SIGTERM"), mortal.output).toBe(0);
    return fake.torrents;
  } finally {
    for (const mortal of [server, ...workers]) await mortal.end("SIGKILL");
  }
}

const isUndone = ({ tags }: FakeQbittorrent["torrents"][number]) => tags !== "x";

test("no acknowledged job is lost or stuck when the server is killed again and again, the queue in SQLite", async () => {
  expect((await survives({})).filter(isUndone)).toEqual([]);
});

describe.skipIf(await isMissing("Redis"))("with the queue in Redis", () => {
  test("nor is one when server and Redis are killed in turn, and others may take over when the lease is over", async () => {
    await using redis = await startRedis({ appendOnly: true });
    expect((await survives({ redis })).filter(isUndone)).toEqual([]);
  });

  test("nor is one when server, two rules-workers and Redis are killed in turn", async () => {
    await using redis = await startRedis({ appendOnly: true });
    expect((await survives({ redis, workers: 2 })).filter(isUndone)).toEqual([]);
  });
});
