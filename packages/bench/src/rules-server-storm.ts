import { tiedToThisProcess } from "@qbit-sidecars/testing";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { median, milliseconds, percentile, ratio, type Row } from "./figures.ts";
import type { Load } from "./http-load.ts";
import { ask, hashOf, idle, key, type Running } from "./rules-server-world.ts";

export const posts = 1000;
export const atOnce = 100;

const storms = 3;

/** More than are run while the load lasts; those that are left are cancelled. */
const busyRuns = 40;

/** Latency of POSTs while the worker runs 50 rules over the library, one run after the other. */
export async function storm(name: string, { url }: Running): Promise<Row> {
  await using plain = await plainServer();
  const targets = {
    plain: ["GET", () => plain.url],
    health: ["GET", () => `${url}/healthz`],
    post: ["POST", (at: number, nth: number) => `${url}/api/execute?context=storm-${nth}&hash=${hashOf(at)}`],
  } as const;
  const took = { plain: [], health: [], post: [] } as Record<keyof typeof targets, number[]>;
  for (let nth = 0; nth < storms; nth += 1)
    for (const target of ["plain", "health", "post"] as const) {
      const [method, urlOf] = targets[target];
      const times = await loadWhileBusy(url, { method, urlOf: (at) => urlOf(at, nth) });
      took[target].push(percentile(times, 99));
    }
  const [post, plainest, health] = [median(took.post), median(took.plain), median(took.health)];
  return {
    figure: `rules-server, ${name}: ${posts} POSTs, ${atOnce} at once, worker busy, p99, median of ${storms}`,
    value: milliseconds(post),
    baseline: `${milliseconds(plainest)} a bare node:http server meanwhile, ${milliseconds(health)} /healthz; qbt-rules 0.5: 1763 ms`,
    ratio: ratio(post, plainest),
    aim: "≤ 50 ms",
  };
}

async function plainServer(): Promise<{ url: string } & AsyncDisposable> {
  const program = fileURLToPath(new URL("plain-server.ts", import.meta.url));
  const server = tiedToThisProcess(process.execPath, [program]);
  const child = spawn(...server, { stdio: ["ignore", "pipe", "inherit"] });
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  return {
    url: `http://127.0.0.1:${Number(port)}`,
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, "exit");
    },
  };
}

type Asking = { readonly method: Load["method"]; readonly urlOf: (at: number) => string };

/**
 * How long each answer took, while the worker has runs to do from before the first request until after the last. Asks
 * from a process of its own: here stands the fake qBittorrent, which is busy with its list meanwhile.
 */
async function loadWhileBusy(url: string, { method, urlOf }: Asking): Promise<number[]> {
  const program = fileURLToPath(new URL("http-load.ts", import.meta.url));
  const client = tiedToThisProcess(process.execPath, [program]);
  const child = spawn(...client, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const runs: string[] = [];
  for (let nth = 0; nth < busyRuns; nth += 1) {
    const { job_id: id } = await ask(`${url}/api/execute?context=busy-${nth}`, "POST");
    runs.push(String(id));
  }
  const urls = Array.from({ length: posts }, (_, at) => urlOf(at));
  child.stdin.end(JSON.stringify({ method, urls, headers: { "x-api-key": key }, atOnce } satisfies Load));
  const { value: printed } = await lines.next();
  const took: unknown = JSON.parse(String(printed));
  if (!Array.isArray(took)) throw new TypeError(`${program} printed no list`);
  const { status } = await ask(`${url}/api/jobs/${runs.at(-1)}`);
  if (status !== "pending") throw new Error("the worker had nothing left to do before the load was over");
  for (const id of runs)
    await fetch(`${url}/api/jobs/${id}`, { method: "DELETE", headers: { "x-api-key": key } });
  await idle(url);
  return took.map(Number);
}
