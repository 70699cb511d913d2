import {
  type FakeClock,
  type FakeQbittorrent,
  type FakeQbittorrentOptions,
  freePort,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { program } from "./program.ts";

type Line = { level: string; msg: string; err?: { type: string; message: string }; [key: string]: unknown };
type WorldOptions = {
  fake?: FakeQbittorrentOptions;
  env?: Record<string, string>;
  args?: string[];
  /** Turned by the test, shared with the fake; without it time is real. */
  clock?: FakeClock;
  /** In the port file before port-sync starts. */
  port?: string;
  /** Another address than the fake's. */
  url?: (fake: FakeQbittorrent) => string;
  /** qBittorrent is down when port-sync starts. */
  down?: boolean;
};

const onRealTime = { DEBOUNCE: "20", SYNC_INTERVAL: "1", POLL_INTERVAL: "100ms" };
// The file's own time is real, so its age means nothing on a clock that is turned.
const onFakeTime = { DEBOUNCE: "0", SYNC_INTERVAL: "30", POLL_INTERVAL: "0" };

/** The whole of port-sync in this process, between a port file and a fake qBittorrent. */
export async function world({
  fake: fakeOptions,
  env,
  args = [],
  clock,
  port,
  url,
  down,
}: WorldOptions = {}) {
  await using closers = new AsyncDisposableStack();
  const folder = closers.use(await tempDir());
  const fake = closers.use(await startFakeQbittorrent({ ...fakeOptions, ...(clock ? { clock } : {}) }));
  if (down) await fake.down();
  const portFile = join(folder.path, "gluetun", "forwarded_port");
  const forward = async (text: string) => {
    await mkdir(dirname(portFile), { recursive: true });
    await writeFile(portFile, text);
  };
  if (port !== undefined) await forward(port);
  const health = `http://127.0.0.1:${await freePort()}`;
  const lines: Line[] = [];
  const takeLine = (text: string) => {
    const line: Line = JSON.parse(text);
    lines.push(line);
  };
  const signals = new Map<string, (...args: never[]) => void>();
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  const running = program(
    {
      argv: ["node", "main.js", ...args],
      env: {
        QBIT_ADDR: url?.(fake) ?? fake.url,
        PORT_FILE: portFile,
        HEALTH_ADDR: health.slice("http://".length),
        LOG_FORMAT: "json",
        ...(clock ? onFakeTime : onRealTime),
        ...env,
      },
      stdout: { write: takeLine },
      stderr: { write: (text) => lines.push({ level: "stderr", msg: text }) },
      on: (event: string, listener: (...args: never[]) => void) => signals.set(event, listener),
      exit,
    },
    clock ? { clock } : {},
  );
  running.catch(() => exit(-1));
  closers.defer(async () => {
    signals.get("SIGTERM")?.();
    await exited;
  });
  const resources = closers.move();
  const get = async (path: string) => {
    const body: Record<string, unknown> = JSON.parse(await (await fetch(health + path)).text());
    return body;
  };
  return {
    fake,
    lines,
    forward,
    portFile,
    health,
    exited,
    get,
    /** Lines a person would be woken by. */
    complaints: () => lines.filter(({ level }) => level === "warn" || level === "error"),
    metrics: async () => (await fetch(`${health}/metrics`)).text(),
    reason: async () => String((await get("/status"))["reason"]),
    setsOf: () => fake.calls.list("app/setPreferences").map(({ params }) => String(params["json"])),
    synced: (wanted: number) =>
      waitFor(() => fake.preferences["listen_port"] === wanted, { what: `port ${wanted} set` }),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
