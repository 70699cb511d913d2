import {
  type FakeClock,
  type FakeNtfy,
  type FakeNtfyOptions,
  type FakeQbittorrent,
  type FakeQbittorrentOptions,
  freePort,
  startFakeNtfy,
  startFakeQbittorrent,
  tempDir,
} from "@qbit-sidecars/testing";
import { join } from "node:path";
import { program } from "./program.ts";

type LogLine = { level: string; msg: string; err?: { type: string; message: string } };

export type World = AsyncDisposable & {
  qbittorrent: FakeQbittorrent;
  ntfy: FakeNtfy;
  lines: LogLine[];
  hooks: string;
  health: string;
  stateDir: string;
  post(path: string, headers?: Record<string, string>): Promise<{ status: number; text: string }>;
  get(path: string): Promise<Record<string, unknown>>;
  metrics(): Promise<string>;
  /** SIGTERM, and all that comes after it. */
  stop(): Promise<void>;
  start(env?: Record<string, string>): void;
};

export type WorldOptions = {
  qbittorrent?: FakeQbittorrentOptions;
  ntfy?: FakeNtfyOptions;
  env?: Record<string, string>;
  /** Turned by the test, shared with both fakes; without it time is real. */
  clock?: FakeClock;
};

/** The whole of ntfy-sidecar in this process, between a fake qBittorrent and a fake ntfy. */
export async function startWorld({ env: given, clock, ...options }: WorldOptions = {}): Promise<World> {
  await using closers = new AsyncDisposableStack();
  const timed = clock === undefined ? {} : { clock };
  const folder = closers.use(await tempDir());
  const qbittorrent = closers.use(await startFakeQbittorrent({ ...options.qbittorrent, ...timed }));
  const ntfy = closers.use(await startFakeNtfy({ ...options.ntfy, ...timed }));
  const hooks = `http://127.0.0.1:${await freePort()}`;
  const health = `http://127.0.0.1:${await freePort()}`;
  const stateDir = join(folder.path, "state");
  const lines: LogLine[] = [];
  let stop = nothing;
  const start = (env: Record<string, string> = {}) => {
    stop = runSidecar({
      lines,
      clock,
      env: {
        QBIT_HOST: qbittorrent.url,
        NTFY_TOPIC: `${ntfy.url}/downloads`,
        LISTEN_ADDR: hooks.slice("http://".length),
        HEALTH_ADDR: health.slice("http://".length),
        STATE_DIR: stateDir,
        LOG_FORMAT: "json",
        POLL_INTERVAL: clock === undefined ? "100ms" : "1s",
        PROGRESS_INTERVAL: "0",
        ...given,
        ...env,
      },
    });
  };
  start();
  closers.defer(() => stop());
  const resources = closers.move();
  return {
    qbittorrent,
    ntfy,
    lines,
    hooks,
    health,
    stateDir,
    async post(path, headers = {}) {
      const response = await fetch(hooks + path, { method: "POST", headers });
      return { status: response.status, text: await response.text() };
    },
    async get(path) {
      const response = await fetch(health + path);
      const body: Record<string, unknown> = JSON.parse(await response.text());
      return body;
    },
    async metrics() {
      return await (await fetch(`${health}/metrics`)).text();
    },
    stop: () => stop(),
    start,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function nothing(): Promise<void> {}

type Run = { lines: LogLine[]; clock: FakeClock | undefined; env: Record<string, string> };

/** Runs the program in this process. @returns stops it and waits for its end */
export function runSidecar({ lines, clock, env }: Run): () => Promise<void> {
  const signals = new Map<string, (...args: never[]) => void>();
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  program(
    {
      argv: ["node", "main.js"],
      env,
      stdout: {
        write(text) {
          const line: LogLine = JSON.parse(text);
          lines.push(line);
        },
      },
      stderr: { write: (text) => lines.push({ level: "stderr", msg: text }) },
      on: (event: string, listener: (...args: never[]) => void) => signals.set(event, listener),
      exit,
    },
    clock === undefined ? {} : { clock },
  ).catch(() => exit(-1));
  return async () => {
    signals.get("SIGTERM")?.();
    await exited;
  };
}
