import {
  type FakeQbittorrent,
  freePort,
  isMissing,
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
import { expect, test, vi } from "vitest";
import { testKey } from "./server-under-test.ts";

const isLong = process.env.QBIT_SIDECARS_LONG === "1";
const rounds = isLong ? 50 : 2;
const jobsInAll = isLong ? 1000 : 200;

vi.setConfig({ testTimeout: isLong ? 900_000 : 120_000 });

const rules =
  "rules: [{ name: tag, conditions: [{ field: info.size, operator: '>=', value: 0 }], actions: [{ type: add_tag, params: { tag: x } }] }]";
const hashes = Array.from({ length: jobsInAll }, (_, at) => at.toString(16).padStart(40, "0"));

/** The server as a process of its own, which can be killed. */
class Server {
  readonly url: string;
  readonly #env: Record<string, string>;
  #process: ChildProcess | undefined;
  output = "";

  constructor(port: number, env: Record<string, string>) {
    this.url = `http://127.0.0.1:${port}`;
    this.#env = { ...env, QBT_RULES_SERVER_PORT: String(port) };
  }

  start(): void {
    const main = fileURLToPath(new URL("main.ts", import.meta.url));
    const child = spawn(process.execPath, [main, "--serve"], {
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text: Buffer) => (this.output = (this.output + String(text)).slice(-20_000)));
    this.#process = child;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    return child.exitCode;
  }

  async ask(method: string, path: string): Promise<Record<string, unknown>> {
    const response = await fetch(this.url + path, { method, headers: { "x-api-key": testKey } });
    return (await response.json()) as Record<string, unknown>;
  }
}

/** Submits every job until it is acknowledged, while the server is killed at random. */
async function submitAll(server: Server): Promise<string[]> {
  const ids = new Map<string, string>();
  const left = [...hashes];
  const line = async (): Promise<void> => {
    for (let hash = left.shift(); hash !== undefined; hash = left.shift()) {
      while (!ids.has(hash)) {
        const path = `/api/execute?context=crash&hash=${hash}`;
        const answer = await server.ask("POST", path).catch(() => undefined);
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

async function survives(backend: Record<string, string>): Promise<FakeQbittorrent["torrents"]> {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent({ torrents: hashes.map((hash) => ({ hash, name: "t" })) });
  await writeFile(join(folder.path, "rules.yml"), rules);
  const server = new Server(await freePort(), {
    QBT_RULES_CONFIG_DIR: folder.path,
    QBT_RULES_SERVER_HOST: "127.0.0.1",
    QBT_RULES_SERVER_API_KEY: testKey,
    QBT_RULES_QUEUE_SQLITE_PATH: join(folder.path, "q.db"),
    QBT_RULES_QBITTORRENT_HOST: fake.url,
    QBT_RULES_LOG_FILE: "",
    ...backend,
  });
  try {
    server.start();
    const submitted = submitAll(server);
    for (let round = 0; round < rounds; round += 1) {
      await waitFor(async () => (await fetch(`${server.url}/healthz`)).ok, {
        what: `the server to be up (${server.output.slice(-500)})`,
        timeoutMs: 30_000,
      });
      await sleep(Math.random() * 400);
      await server.end("SIGKILL");
      server.start();
    }
    const ids = await submitted;
    const isOver = async () => {
      const { jobs } = await server.ask("GET", "/api/stats");
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
      expect(await server.ask("GET", `/api/jobs/${id}`)).toMatchObject({ status: "completed" });
    expect(await server.end("SIGTERM")).toBe(0);
    return fake.torrents;
  } finally {
    await server.end("SIGKILL");
  }
}

test("no acknowledged job is lost or stuck when the server is killed again and again, the queue in SQLite", async () => {
  const torrents = await survives({});
  expect(torrents.filter(({ tags }) => tags !== "x")).toEqual([]);
});

test.skipIf(await isMissing("Redis"))(
  "nor is one with the queue in Redis, where others may take over when the lease is over",
  async () => {
    await using redis = await startRedis({ appendOnly: true });
    const torrents = await survives({
      QBT_RULES_QUEUE_BACKEND: "redis",
      QBT_RULES_QUEUE_REDIS_URL: redis.url,
    });
    expect(torrents.filter(({ tags }) => tags !== "x")).toEqual([]);
  },
);
