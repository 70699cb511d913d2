import { type JobQueue, openQueue } from "@qbit-sidecars/jobs";
import {
  freePort,
  isMissing,
  startFakeQbittorrent,
  startRedis,
  type TempDir,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";

vi.setConfig({ testTimeout: 120_000 });

const hashOf = (n: number) => n.toString(16).padStart(40, "0");
const rules = `
rules:
  - name: two writes, one after the other
    conditions: [{ field: info.progress, operator: ">=", value: 0 }]
    actions:
      - { type: add_tag, params: { tag: seen } }
      - { type: set_category, params: { category: done } }
`;

/** The worker in a process of its own, which can be frozen. */
async function startWorker(folder: TempDir, env: Readonly<Record<string, string>>) {
  const health = `127.0.0.1:${await freePort()}`;
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const child = spawn(process.execPath, [main], {
    env: { QBT_RULES_CONFIG_DIR: folder.path, HEALTH_ADDR: health, LOG_FORMAT: "json", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  let output = "";
  child.stdout.on("data", (text: Buffer) => (output += String(text)));
  await waitFor(async () => (await fetch(`http://${health}/readyz`)).ok, {
    what: "the worker to be ready",
    timeoutMs: 30_000,
  });
  return {
    output: () => output,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function completed(queue: JobQueue, id: string): Promise<void> {
  await waitFor(async () => (await queue.get(id))?.status === "completed", {
    what: `job ${id} to be completed`,
    timeoutMs: 60_000,
  });
}

test.skipIf(await isMissing("Redis"))(
  "a worker that was frozen for longer than its lease writes nothing when it wakes: a hot stand-by did its job",
  async () => {
    await using redis = await startRedis({ appendOnly: true });
    await using folder = await tempDir("rules-worker-");
    await writeFile(join(folder.path, "rules.yml"), rules);
    const torrents = [1, 2].map((n) => ({ name: `t${n}`, hash: hashOf(n) }));
    await using fake = await startFakeQbittorrent({ torrents });
    await using queue = await openQueue({ backend: "redis", url: redis.url });
    const env = { QBT_RULES_QUEUE_REDIS_URL: redis.url, QBT_RULES_QBITTORRENT_HOST: fake.url };
    const ask = async (n: number) => (await queue.enqueue({ hash: hashOf(n) })).job.id;
    const writes = () =>
      ["torrents/addTags", "torrents/setCategory", "torrents/createCategory"].map((endpoint) =>
        fake.calls.count(endpoint),
      );

    await using frozen = await startWorker(folder, env);
    fake.faults.next("torrents/addTags", { kind: "latency", ms: 3000 });
    const job = await ask(1);
    await waitFor(() => fake.calls.count("torrents/addTags") === 1, { what: "the first write" });
    frozen.signal("SIGSTOP");
    {
      await using _standBy = await startWorker(folder, env);
      await completed(queue, job);
      await expect(queue.get(job)).resolves.toMatchObject({ attempts: 2 });
      expect(fake.torrents[0]).toMatchObject({ tags: "seen", category: "done" });
      const before = writes();

      frozen.signal("SIGCONT");
      await waitFor(() => frozen.output().includes("a run was not brought to its end"), {
        what: "the worker to know what it lost",
        timeoutMs: 60_000,
      });
      expect(writes()).toEqual(before);
    }
    // It is a stand-by itself now, and the one there was is dead.
    const next = await ask(2);
    await completed(queue, next);
    expect(fake.torrents[1]).toMatchObject({ tags: "seen", category: "done" });
  },
);
