import {
  FakeClock,
  type FakeQbittorrent,
  type FakeQbittorrentOptions,
  freePort,
  selfSignedCertificate,
  startFakeQbittorrent,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { mkdir, readdir, readFile, rm, truncate, unlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { program } from "./program.ts";

vi.setConfig({ testTimeout: 30_000 });

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
async function world({ fake: fakeOptions, env, args = [], clock, port, url, down }: WorldOptions = {}) {
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
      stdout: { write: (text) => lines.push(JSON.parse(text) as Line) },
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
  const get = async (path: string) => (await fetch(health + path)).json() as Promise<Record<string, unknown>>;
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

describe("qBittorrent is in trouble", () => {
  test("a wrong password is tried so seldom in an hour that no ban can come of it, and told once", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({
      clock,
      fake: { auth: { username: "admin", password: "right" } },
      env: { QBIT_USER: "admin", QBIT_PASS: "wr0ng-s3cret" },
      port: "51413",
    });
    await waitFor(() => at.fake.calls.count("auth/login") > 0, { what: "a first login" });
    for (let minute = 0; minute < 60; minute += 1) await clock.advance(60_000);
    expect(at.fake.calls.count("auth/login")).toBeLessThanOrEqual(2);
    expect(at.complaints().map(({ err }) => err)).toEqual([
      expect.objectContaining({ type: "QbitAuthError" }),
    ]);
    expect(JSON.stringify(at.lines)).not.toContain("wr0ng-s3cret");
    expect(await at.metrics()).toContain('port_sync_failures_total{reason="QbitAuthError"}');
  });

  test("absent for its first hour, it is found when it comes, and its absence told once", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, port: "51413", down: true });
    await waitFor(() => at.complaints().length > 0, { what: "the absence being told" });
    for (let minute = 0; minute < 60; minute += 1) await clock.advance(60_000);
    await at.fake.up();
    await clock.advanceUntil(() => at.fake.preferences["listen_port"] === 51_413, {
      what: "the port",
      withinMs: 30_000,
    });
    expect(at.complaints().map(({ msg }) => msg)).toEqual(["sync-port failed, trying again until it works"]);
    await waitFor(() => at.lines.some(({ msg }) => msg.includes("recovered")), {
      what: "the recovery being told",
    });
  });

  test("a ban is named, sat out in silence, and over in time", async () => {
    const clock = new FakeClock(Date.now());
    const fake = { auth: { username: "admin", password: "right" } };
    await using at = await world({ clock, fake, env: { QBIT_PASS: "right" }, port: "51413", down: true });
    at.fake.ban();
    await at.fake.up();
    await clock.advanceUntil(() => at.complaints().some(({ err }) => err?.type === "QbitBannedError"), {
      what: "the ban being told",
    });
    const logins = at.fake.calls.count("auth/login");
    for (let minute = 0; minute < 59; minute += 1) await clock.advance(60_000);
    expect(at.fake.calls.count("auth/login")).toBe(logins);
    await clock.advanceUntil(() => at.fake.preferences["listen_port"] === 51_413, { what: "the port" });
  });

  test.each<[string, (fake: FakeQbittorrent) => void, string]>([
    ["answers 500", (fake) => fake.faults.set("*", { kind: "answer", status: 500 }), "QbitResponseError"],
    ["hangs", (fake) => fake.faults.set("*", { kind: "hang" }), "QbitUnreachableError"],
    ["resets connections", (fake) => fake.faults.set("*", { kind: "reset" }), "QbitUnreachableError"],
    ["stops in the middle of its answers", (fake) => fake.faults.set("*", { kind: "truncated" }), "Qbit"],
    [
      "is a proxy's error page",
      (fake) => fake.faults.set("*", { kind: "answer", status: 200, body: "<html>Bad gateway</html>" }),
      "QbitResponseError",
    ],
  ])("it %s: told once, and healed when it is over", async (_what, begin, error) => {
    await using at = await world({ env: { QBIT_TIMEOUT: "300ms" }, port: "50000" });
    await at.synced(50_000);
    begin(at.fake);
    await at.forward("51413");
    await waitFor(async () => Number(/failures_total\{[^}]*\} (\d+)/u.exec(await at.metrics())?.[1]) >= 3, {
      what: "three failures",
    });
    expect((await fetch(`${at.health}/readyz`)).status).toBe(503);
    expect((await fetch(`${at.health}/livez`)).status).toBe(200);
    at.fake.faults.clear();
    await at.synced(51_413);
    await waitFor(async () => (await fetch(`${at.health}/readyz`)).status === 200, {
      what: "being ready again",
    });
    expect(at.complaints()).toHaveLength(1);
    expect(at.complaints()[0]?.err?.type).toContain(error);
  });

  test("restarted in the middle of a sync, it ends with the port all the same", async () => {
    await using at = await world({ port: "50000", env: { QBIT_TIMEOUT: "300ms" } });
    await at.synced(50_000);
    at.fake.faults.next("app/setPreferences", { kind: "reset", applied: false });
    at.fake.faults.next("app/preferences", { kind: "hang" });
    await at.forward("51413");
    await waitFor(() => at.setsOf().some((json) => json.includes("51413")), {
      what: "the change being asked for",
    });
    await at.fake.restart();
    await at.synced(51_413);
  });

  test("deaf after a flap of the VPN, it is made to listen again", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, port: "51413", env: { REBIND_AFTER: "60" } });
    await at.synced(51_413);
    at.fake.becomeDeaf();
    // It listens on a neighbouring port in between.
    const listensAgain = () => at.fake.isListening && at.fake.preferences["listen_port"] === 51_413;
    await clock.advanceUntil(listensAgain, { what: "listening again", withinMs: 90_000 });
    await waitFor(
      async () => (await at.metrics()).includes('port_sync_rebinds_total{reason="disconnected"} 1'),
      {
        what: "the rebind being counted",
      },
    );
  });

  test("a port set by hand, a random port and UPnP are put right", async () => {
    await using at = await world({ port: "51413" });
    await at.synced(51_413);
    at.fake.setPreferences({ listen_port: 6881, upnp: true });
    await at.synced(51_413);
    await waitFor(() => at.fake.preferences["upnp"] === false, { what: "UPnP off" });
  });
});

describe("the address of qBittorrent is wrong", () => {
  test("http where https is spoken: the right address is in the complaint", async () => {
    const certificate = selfSignedCertificate({ names: ["127.0.0.1"] });
    await using at = await world({
      fake: { https: { ...certificate, redirectFromHttp: true } },
      url: (fake) => fake.httpUrl,
      port: "51413",
    });
    await waitFor(() => at.complaints().length > 0, { what: "a complaint" });
    expect(at.complaints()[0]?.err).toMatchObject({
      type: "QbitRedirectError",
      message: expect.stringContaining(at.fake.url),
    });
  });

  test("a certificate nobody vouches for is refused, until its CA is named or checking is given up", async () => {
    const certificate = selfSignedCertificate({ names: ["127.0.0.1"] });
    await using dir = await tempDir();
    const caFile = join(dir.path, "ca.pem");
    await writeFile(caFile, certificate.cert);
    await using distrusting = await world({ fake: { https: certificate }, port: "51413" });
    await waitFor(() => distrusting.complaints().length > 0, { what: "a complaint" });
    expect(distrusting.complaints()[0]?.err).toMatchObject({
      type: "QbitUnreachableError",
      message: expect.stringMatching(/certificate/u),
    });
    for (const env of [{ QBIT_CA_CERT_FILE: caFile }, { QBIT_INSECURE_SKIP_VERIFY: "true" }]) {
      await using trusting = await world({ fake: { https: certificate }, port: "51413", env });
      await trusting.synced(51_413);
    }
  });

  test("something else answers there: the complaint says so", async () => {
    const other = createServer((_request, response) => response.writeHead(404).end("<html>nginx</html>"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    try {
      await using at = await world({ url: () => `http://127.0.0.1:${port}`, port: "51413" });
      await waitFor(() => at.complaints().length > 0, { what: "a complaint" });
      expect(at.complaints()[0]?.err?.message).toMatch(/404|not qBittorrent/u);
    } finally {
      other.closeAllConnections();
      other.close();
    }
  });
});

describe("the port file is in trouble", () => {
  test("of two changes within the debounce only the second reaches qBittorrent", async () => {
    await using at = await world({ port: "50000", env: { DEBOUNCE: "300" } });
    await at.synced(50_000);
    await at.forward("51111");
    await at.forward("52222");
    await at.synced(52_222);
    expect(at.setsOf().filter((json) => json.includes("51111"))).toEqual([]);
  });

  test.each<
    [string, (at: { portFile: string; forward: (text: string) => Promise<void> }) => Promise<unknown>, RegExp]
  >([
    ["empty", ({ forward }) => forward(""), /is empty/u],
    ["deleted", ({ portFile }) => unlink(portFile), /no port file/u],
    ["gone with its folder", ({ portFile }) => rm(dirname(portFile), { recursive: true }), /no port file/u],
    ["0", ({ forward }) => forward("0"), /says 0/u],
    ["junk", ({ forward }) => forward("{port: 1}"), /not a port/u],
    ["out of range", ({ forward }) => forward("65536"), /ports end at 65535/u],
    ["a gigabyte long", async ({ portFile }) => truncate(portFile, 2 ** 30), /longer than 1024 bytes/u],
  ])(
    "%s: qBittorrent keeps its port, /readyz says why, and the next port is taken",
    async (_what, spoil, why) => {
      await using at = await world({ port: "50000" });
      await at.synced(50_000);
      await spoil(at);
      await waitFor(async () => why.test(JSON.stringify(await at.get("/readyz"))), {
        what: "/readyz saying why",
      });
      expect(at.fake.preferences["listen_port"]).toBe(50_000);
      await at.forward("51413");
      await at.synced(51_413);
      expect(at.setsOf().every((json) => !json.includes('"listen_port":0'))).toBe(true);
    },
  );

  test("with ON_PORT_LOST=park qBittorrent is moved away and comes back with the port", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, port: "51413", env: { ON_PORT_LOST: "park", PARK_PORT: "40404" } });
    await at.synced(51_413);
    await at.forward("");
    await clock.advanceUntil(() => at.fake.preferences["listen_port"] === 40_404, { what: "being parked" });
    await expect.poll(at.reason).toMatch(/parked on 40404/u);
    await at.forward("51413");
    await clock.advanceUntil(() => at.fake.preferences["listen_port"] === 51_413, { what: "being back" });
  });
});

describe("one thing after another", () => {
  test('a source that breaks after it said "no port" makes nothing busy, and qBittorrent is parked in time', async () => {
    const clock = new FakeClock(Date.now());
    const env = { ON_PORT_LOST: "park", LOST_AFTER: "2", PARK_PORT: "40404" };
    await using at = await world({ clock, port: "51413", env });
    await at.synced(51_413);
    await at.forward("");
    await waitFor(async () => (await at.reason()).includes("is empty"), {
      what: "the empty file being noticed",
    });
    await at.forward("junk");
    await clock.advanceUntil(() => at.fake.preferences["listen_port"] === 40_404, { what: "being parked" });
    const asked = at.fake.calls.count("app/preferences");
    for (let minute = 0; minute < 10; minute += 1) await clock.advance(60_000);
    expect(at.fake.calls.count("app/preferences") - asked).toBeLessThan(40);
  });

  test("a wall clock set forward a day parks nothing before its time", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, port: "51413", env: { ON_PORT_LOST: "park", LOST_AFTER: "10m" } });
    await at.synced(51_413);
    await at.forward("");
    await waitFor(async () => (await at.reason()).includes("is empty"), {
      what: "the empty file being noticed",
    });
    clock.jumpWallClock(86_400_000);
    await clock.advance(60_000);
    expect(at.fake.preferences["listen_port"]).toBe(51_413);
  });

  test("a port that comes back is taken within SYNC_INTERVAL, however long LOST_AFTER is", async () => {
    const clock = new FakeClock(Date.now());
    const control = { port: 0 };
    const server = createServer((_request, response) => response.end(JSON.stringify(control)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const env = { ON_PORT_LOST: "park", LOST_AFTER: "1h", GLUETUN_ADDR: `http://127.0.0.1:${port}` };
      await using at = await world({ clock, env });
      await waitFor(async () => (await at.reason()).includes("says 0"), { what: "the 0 being noticed" });
      control.port = 51_413;
      await clock.advanceUntil(() => at.fake.preferences["listen_port"] === 51_413, {
        what: "the new port",
        withinMs: 31_000,
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("qBittorrent that listens nowhere whatever is tried is not called ready", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, port: "51413", env: { REBIND_AFTER: "60" } });
    await at.synced(51_413);
    at.fake.setTransfer({ connection_status: "disconnected" });
    await clock.advanceUntil(async () => (await at.reason()).includes("listens nowhere"), {
      what: "the reason",
    });
    expect((await fetch(`${at.health}/readyz`)).status).toBe(503);
  });
});

describe("settings that could only fail later are refused at once", () => {
  test.each([
    [{ QBIT_ADDR: "http://joe:hunter2@127.0.0.1" }, /QBIT_ADDR[^]*holds a user name/u],
    [{ WEBHOOK_URL: "file:///etc/hunter2" }, /WEBHOOK_URL[^]*not a URL that begins/u],
    [{ ON_CHANGE_COMMAND: "  " }, /ON_CHANGE_COMMAND[^]*not a program/u],
  ])("%j", async (env, fault) => {
    const { code, stderr } = await exitOf(env);
    expect(code).toBe(2);
    expect(stderr).toMatch(fault);
    expect(stderr).not.toContain("hunter2");
  });

  test.each([
    ["/no/such/file", "does not exist"],
    ["/dev/zero", "regular file"],
    ["/etc/hostname", "holds no certificate"],
  ])("QBIT_CA_CERT_FILE=%s", async (path, problem) => {
    await using at = await world({ env: { QBIT_CA_CERT_FILE: path } });
    expect(await at.exited).toBe(2);
    expect(at.complaints()[0]?.msg).toContain(problem);
  });
});

/** Runs a port-sync that ends by itself before it logs. */
async function exitOf(env: Record<string, string>): Promise<{ code: number; stderr: string }> {
  let stderr = "";
  const process = {
    argv: ["node", "main.js"],
    env,
    stdout: { write: () => {} },
    stderr: { write: (text: string) => (stderr += text) },
    exitCode: 0,
    on: () => {},
    exit: () => {},
  };
  await program(process);
  return { code: process.exitCode, stderr };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("people and programs ask", () => {
  test("POST /rebind takes the port anew, but not for a web page", async () => {
    await using at = await world({ port: "51413" });
    await at.synced(51_413);
    const foreign = await fetch(`${at.health}/rebind`, {
      method: "POST",
      headers: { origin: "http://evil.example" },
    });
    expect(foreign.status).toBe(403);
    const sets = at.setsOf().length;
    expect((await fetch(`${at.health}/rebind`, { method: "POST" })).status).toBe(202);
    await waitFor(async () => JSON.stringify(await at.get("/status")).includes("asked for"), {
      what: "the rebind",
    });
    expect(at.setsOf().length).toBe(sets + 2);
    expect(at.fake.preferences["listen_port"]).toBe(51_413);
  });

  test("REANNOUNCE tells the trackers of active torrents after a change", async () => {
    await using at = await world({ port: "50000", env: { REANNOUNCE: "true" } });
    at.fake.updateTorrent(at.fake.addTorrent(), { state: "uploading", upspeed: 1000 });
    await at.synced(50_000);
    await at.forward("51413");
    await waitFor(() => at.fake.calls.count("torrents/reannounce") > 0, { what: "a reannounce" });
  });

  test("--once syncs, says so and ends with 0; without a port it ends with 1 and says why", async () => {
    await using well = await world({ args: ["--once"], port: "51413" });
    expect(await well.exited).toBe(0);
    expect(well.fake.preferences["listen_port"]).toBe(51_413);
    await using portless = await world({ args: ["--once"] });
    expect(await portless.exited).toBe(1);
    expect(portless.complaints()[0]?.msg).toMatch(/no port file/u);
    await using alone = await world({ args: ["--once"], port: "51413", down: true });
    expect(await alone.exited).toBe(1);
    expect(alone.complaints().map(({ msg }) => msg)).toEqual([expect.stringContaining("connection refused")]);
  });

  test("--once from cron, with a wrong password, is no ban; with the right one it is well at once", async () => {
    await using folder = await tempDir();
    vi.stubEnv("TMPDIR", folder.path);
    const fake = { auth: { username: "admin", password: "right" } };
    await using at = await world({ fake, port: "51413", env: { QBIT_PASS: "wrong" }, args: ["--once"] });
    const url = () => at.fake.url;
    expect(await at.exited).toBe(1);
    for (let run = 2; run <= 7; run += 1) {
      await using again = await world({ url, port: "51413", env: { QBIT_PASS: "wrong" }, args: ["--once"] });
      expect(await again.exited).toBe(1);
      expect(again.complaints()[0]?.msg).toMatch(/refused this user name and password 1 times/u);
    }
    expect(at.fake.calls.count("auth/login")).toBe(1);
    const kept = async () =>
      (await readdir(folder.path)).filter((name) => /^port-sync-.*\.json$/u.test(name));
    expect(await readFile(join(folder.path, (await kept())[0] ?? ""), "utf8")).not.toContain("wrong");
    await using well = await world({ url, port: "51413", env: { QBIT_PASS: "right" }, args: ["--once"] });
    expect(await well.exited).toBe(0);
    expect(await kept()).toEqual([]);
  });

  test("--once tells its change too, and ends with 1 when nobody could be told", async () => {
    await using dir = await tempDir();
    const out = join(dir.path, "out");
    const once = { args: ["--once"], port: "51413" };
    await using told = await world({ ...once, env: { ON_CHANGE_COMMAND: `cp /proc/self/environ ${out}` } });
    expect(await told.exited).toBe(0);
    expect(await readFile(out, "utf8")).toContain("PORT=51413");
    await using untold = await world({ ...once, env: { ON_CHANGE_COMMAND: "false" } });
    expect(await untold.exited).toBe(1);
    expect(untold.complaints()[0]?.msg).toBe('running ON_CHANGE_COMMAND "false": it ended with 1');
  });
});

test("no secret reaches a log line, a status page or a metric", async () => {
  const secrets = ["passw0rd-s3cret", "gluetun-s3cret", "hook-s3cret"];
  await using at = await world({
    fake: { auth: { username: "admin", password: "passw0rd-s3cret" } },
    env: {
      QBIT_PASS: "passw0rd-s3cret",
      GLUETUN_ADDR: "http://127.0.0.1:1",
      GLUETUN_API_KEY: "gluetun-s3cret",
      WEBHOOK_URL: "http://127.0.0.1:1/hook-s3cret",
      LOG_LEVEL: "trace",
    },
    port: "51413",
  });
  await at.synced(51_413);
  await waitFor(() => at.lines.some(({ msg }) => msg.startsWith("tell-change failed")), {
    what: "the webhook failing",
  });
  await at.forward("");
  await waitFor(async () => (await at.reason()).includes("control server"), { what: "gluetun being asked" });
  const pages = await Promise.all(["/status", "/readyz", "/livez"].map((path) => at.get(path)));
  const all = JSON.stringify([at.lines, pages]) + (await at.metrics());
  for (const secret of secrets) expect(all).not.toContain(secret);
});
