import { type RunningApp, runApp } from "@qbit-sidecars/e2e/run-app";
import {
  type FakeQbittorrent,
  freePort,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { infoRules } from "./rules-to-measure.ts";

export const torrents = 10_000;
export const key = "bench-key";
export const rules = [
  ...infoRules(49),
  {
    name: "tag",
    context: "one",
    conditions: [{ field: "info.ratio", operator: ">=", value: 0 }],
    actions: [{ type: "add_tag", params: { tag: "done" } }],
  },
];

/** The image's entry point. */
export const asInImage = { nodeArgs: ["--optimize-for-size"], args: ["--serve"] };

export type Running = { url: string; app: RunningApp; fake: FakeQbittorrent };

/** A server as an image would run it, beside a fake qBittorrent that stands in this process. */
export async function withServer<T>(
  { env = {}, count = torrents }: { env?: Record<string, string>; count?: number },
  work: (running: Running) => Promise<T>,
): Promise<T> {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent({ torrents: library(count) });
  await writeFile(join(folder.path, "rules.yml"), JSON.stringify({ rules }));
  const port = await freePort();
  await using app = runApp("rules-server", {
    ...asInImage,
    env: { ...settings(folder.path, port, fake.url), ...env },
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/healthz`)).ok, {
    what: `the server (${app.errors})`,
    timeoutMs: 20_000,
  });
  return await work({ url, app, fake });
}

export function settings(folder: string, port: number, qbittorrent: string): Record<string, string> {
  return {
    QBT_RULES_CONFIG_DIR: folder,
    QBT_RULES_QUEUE_SQLITE_PATH: join(folder, "q.db"),
    QBT_RULES_LOG_FILE: "",
    QBT_RULES_SERVER_HOST: "127.0.0.1",
    QBT_RULES_SERVER_PORT: String(port),
    QBT_RULES_SERVER_API_KEY: key,
    QBT_RULES_QBITTORRENT_HOST: qbittorrent,
  };
}

function library(count: number): { hash: string; name: string }[] {
  return Array.from({ length: count }, (_, at) => ({
    hash: hashOf(at),
    name: `Some.Release.${at}.1080p.WEB.x264-GROUP`,
  }));
}

export const hashOf = (at: number) => at.toString(16).padStart(40, "0");

/** @throws for any answer that is none of success */
export async function ask(url: string, method = "GET"): Promise<Record<string, unknown>> {
  const response = await fetch(url, { method, headers: { "x-api-key": key } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

/** Until no job waits or runs. */
export async function idle(url: string): Promise<void> {
  await waitFor(
    async () => {
      const { queue } = await ask(`${url}/api/health`);
      const { pending_jobs: pending, processing_jobs: processing } = queue as Record<string, number>;
      return pending === 0 && processing === 0;
    },
    { what: "the queue to be empty", timeoutMs: 120_000 },
  );
}
