import {
  FakeClock,
  type FakePia,
  type FakePiaOptions,
  type FakeQbittorrent,
  type FakeQbittorrentOptions,
  freePort,
  startFakePia,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "./gateway.ts";
import { program } from "./program.ts";

type Line = {
  level: string;
  msg: string;
  err?: { type: string; message: string };
  [key: string]: unknown;
};

export type WorldOptions = {
  fake?: FakeQbittorrentOptions;
  pia?: FakePiaOptions;
  /** `undefined` takes a variable of the world's away. */
  env?: Record<string, string | undefined>;
  /** Turned by the test, shared with both fakes; without it time is real. */
  clock?: FakeClock;
  host?: Partial<Host>;
};

type RunOptions = Pick<WorldOptions, "env"> & { args?: string[] };

/** pia-forwarder as its users run it, one life after the other, between a fake PIA and a fake qBittorrent. */
export type World = AsyncDisposable & {
  pia: FakePia;
  qbittorrent: FakeQbittorrent;
  folder: string;
  stateFile: string;
  /** What every life is told, apart from HEALTH_ADDR. */
  env: Readonly<Record<string, string | undefined>>;
  /** One more address that nobody listens on. */
  spareAddress: string;
  start(options?: RunOptions): Life;
};

/** One process of pia-forwarder's. */
type Life = AsyncDisposable & {
  lines: Line[];
  stdout: () => string;
  exited: Promise<number>;
  health: string;
  get(path: string): Promise<Record<string, unknown>>;
  metrics(): Promise<string>;
  complaints(): Line[];
  /** Waits until qBittorrent listens on a port that PIA forwards. @returns the port */
  settled(): Promise<number>;
  stop(): Promise<number>;
};

/** A machine whose tunnel leads to 127.0.0.1, where the fake PIA's first server is. */
export const loopbackHost: Host = {
  interfaces: () => ({
    tun0: [
      {
        address: "127.0.7.9",
        netmask: "255.255.255.0",
        family: "IPv4",
        mac: "00:00:00:00:00:00",
        internal: false,
        cidr: null,
      },
    ],
  }),
  routes: () => Promise.resolve(""),
  interfaceIndex: () => Promise.resolve("7\n"),
  lastResort: "127.0.0.1",
  // Days pass in tests; where the tunnel matters it is looked at as often as on a real machine.
  lookEveryMs: 150_000,
};

export async function world(options: WorldOptions = {}): Promise<World> {
  const { clock } = options;
  await using closers = new AsyncDisposableStack();
  const folder = closers.use(await tempDir());
  const pia = closers.use(await startFakePia({ ...options.pia, ...(clock && { clock }) }));
  const qbittorrent = closers.use(await startFakeQbittorrent({ ...options.fake, ...(clock && { clock }) }));
  const caFile = join(folder.path, "ca.rsa.4096.crt");
  await writeFile(caFile, pia.ca);
  const ports = [await freePort(), await freePort(), await freePort()];
  const spareAddress = `127.0.0.1:${await freePort()}`;
  const env = {
    PIA_USERNAME: pia.username,
    PIA_PASSWORD: pia.password,
    PIA_TOKEN_FILE: join(folder.path, "pia_token"),
    PIA_TOKEN_URL: pia.tokens.url,
    PIA_GATEWAY: "127.0.0.1",
    PIA_GATEWAY_PORT: String(pia.port),
    PIA_HOSTNAME: pia.gateway.hostname,
    PIA_CA_CERT: caFile,
    PIA_TIMEOUT: "2s",
    QBITTORRENT_HOST: qbittorrent.url,
    STATE_DIR: join(folder.path, "state"),
    LOG_FORMAT: "json",
    ...options.env,
  };
  const resources = closers.move();
  const around = { ...(clock && { clock }), host: { ...loopbackHost, ...options.host } };
  return {
    pia,
    qbittorrent,
    folder: folder.path,
    stateFile: join(folder.path, "state", "port.json"),
    env,
    spareAddress,
    start: (run = {}) => {
      const health = `127.0.0.1:${ports.shift() ?? 0}`;
      const given = { ...env, HEALTH_ADDR: health, ...run.env };
      return start({ env: given, health, args: run.args ?? [], around, pia, qbittorrent });
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

type StartOptions = {
  env: Record<string, string | undefined>;
  health: string;
  args: string[];
  around: Parameters<typeof program>[1];
  pia: FakePia;
  qbittorrent: FakeQbittorrent;
};

function start({ env, health, args, around, pia, qbittorrent }: StartOptions): Life {
  const lines: Line[] = [];
  const output: string[] = [];
  const signals = new Map<string, (...args: never[]) => void>();
  const { promise: exited, resolve: exit } = Promise.withResolvers<number>();
  const takeLine = (text: string) => {
    output.push(text);
    if (!text.startsWith('{"level"')) return;
    const line: Line = JSON.parse(text);
    lines.push(line);
  };
  const process = {
    argv: ["node", "main.js", ...args],
    env,
    stdout: { write: takeLine },
    stderr: {
      write: (text: string) =>
        text.startsWith('{"level"') ? takeLine(text) : lines.push({ level: "stderr", msg: text }),
    },
    on: (event: string, listener: (...args: never[]) => void) => signals.set(event, listener),
    exit,
    exitCode: 0,
  };
  program(process, around).then(
    // Faults in the settings end without exit().
    () => exit(process.exitCode),
    () => exit(-1),
  );
  const url = `http://${health}`;
  const stop = () => {
    signals.get("SIGTERM")?.();
    return exited;
  };
  return {
    lines,
    stdout: () => output.join(""),
    exited,
    health: url,
    get: async (path) => {
      const response = await fetch(url + path);
      const body: Record<string, unknown> = JSON.parse(await response.text());
      return body;
    },
    metrics: async () => (await fetch(`${url}/metrics`)).text(),
    complaints: () => lines.filter(({ level }) => ["warn", "error", "fatal", "stderr"].includes(level)),
    settled: async () => {
      await waitFor(() => isForwarded(pia, qbittorrent), { what: "qBittorrent on a port that PIA forwards" });
      return listenPort(qbittorrent);
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

export function listenPort({ preferences }: FakeQbittorrent): number {
  return Number(preferences["listen_port"]);
}

/** Whether peers get in: qBittorrent listens on a port that the first server forwards. */
export function isForwarded({ gateway, otherGateway }: FakePia, qbittorrent: FakeQbittorrent): boolean {
  const port = listenPort(qbittorrent);
  return gateway.bindings.isBound(port) || otherGateway.bindings.isBound(port);
}

/** The state file as it is kept. */
export async function readState({ stateFile }: World): Promise<Record<string, unknown>> {
  const state: Record<string, unknown> = JSON.parse(await readFile(stateFile, "utf8"));
  return state;
}

/** Lets time pass, with a moment of real time every few minutes of it for what goes through sockets. */
export async function pass(clock: FakeClock, ms: number): Promise<void> {
  const stepMs = 150_000;
  for (let left = ms; left > 0; left -= stepMs) {
    await clock.advance(Math.min(stepMs, left));
    await clock.settle();
  }
}
