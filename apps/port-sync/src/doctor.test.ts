import {
  freePort,
  type FakeQbittorrentOptions,
  runDoctor,
  startFakeQbittorrent,
  tempDir,
} from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { program } from "./program.ts";

type World = { fake?: FakeQbittorrentOptions; env?: Record<string, string>; port?: string };

/** port-sync's doctor between a port file and a fake qBittorrent. */
async function examine({ fake: options, env, port = "51413" }: World = {}) {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent(options);
  const portFile = join(folder.path, "forwarded_port");
  await writeFile(portFile, port);
  const report = await runDoctor(program, {
    env: {
      QBIT_ADDR: fake.url,
      PORT_FILE: portFile,
      DEBOUNCE: "0",
      HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      ...env,
    },
  });
  return { report, calls: fake.calls, fake };
}

const login = { username: "admin", password: "r1ght-s3cret" };

test("all is well, and nothing was changed", async () => {
  const { report, calls } = await examine({
    fake: { auth: login, preferences: { listen_port: 51413 } },
    env: { QBIT_USER: "admin", QBIT_PASS: "r1ght-s3cret" },
  });
  expect(report.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
  expect(report.code).toBe(0);
  expect(report.of("listen port").seen).toBe("qBittorrent listens on the forwarded port 51413");
  expect(calls.count("auth/login")).toBe(1);
  expect(calls.count("auth/logout")).toBe(1);
  expect(calls.count("app/setPreferences")).toBe(0);
  expect(report.text).not.toContain("r1ght-s3cret");
});

test("a wrong password is shown once, and what comes after the login is not looked at", async () => {
  const { report, calls } = await examine({
    fake: { auth: login },
    env: { QBIT_USER: "admin", QBIT_PASS: "wr0ng-s3cret" },
  });
  expect(report.code).toBe(1);
  expect(report.of("qbittorrent").verdict).toBe("ok");
  expect(report.of("qbittorrent login")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("correct QBIT_USER and QBIT_PASS"),
  });
  expect(report.of("listen port")).toMatchObject({
    verdict: "unknown",
    seen: 'it depends on "qbittorrent login"',
  });
  expect(calls.count("auth/login")).toBe(1);
  expect(report.text).not.toContain("wr0ng-s3cret");
});

test("a running port-sync whose login was refused is believed, and none is tried", async () => {
  const health = await freePort();
  const bodies: Record<string, unknown> = {
    "/healthz": { status: "ok", name: "port-sync" },
    "/livez": {
      status: "ok",
      dependencies: {
        qbittorrent: { ok: false, detail: "logging in: qBittorrent refused the user name or password" },
      },
    },
  };
  const server = createServer((request, response) => response.end(JSON.stringify(bodies[request.url ?? ""])));
  await new Promise<void>((resolve) => server.listen(health, "127.0.0.1", resolve));
  const { report, calls } = await examine({
    fake: { auth: login },
    env: { QBIT_USER: "admin", QBIT_PASS: "wr0ng-s3cret", HEALTH_ADDR: `127.0.0.1:${health}` },
  });
  server.close();
  expect(report.of("qbittorrent login")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("no login was tried"),
  });
  expect(calls.count("auth/login")).toBe(0);
  expect(report.of("health address")).toMatchObject({
    verdict: "ok",
    seen: expect.stringContaining("port-sync runs"),
  });
});

test("nothing listens where qBittorrent should be", async () => {
  const { report } = await examine({ env: { QBIT_ADDR: `http://127.0.0.1:${await freePort()}` } });
  expect(report.of("qbittorrent")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("connection refused"),
    todo: expect.stringContaining("QBIT_ADDR"),
  });
  expect(report.code).toBe(1);
});

test.each([
  { what: "no port", port: "", seen: "the port file is empty" },
  { what: "junk", port: "hello", seen: "which is not a port" },
])("a port file with $what", async ({ port, seen }) => {
  const { report } = await examine({ port });
  expect(report.of("port file")).toMatchObject({ verdict: "problem", seen: expect.stringContaining(seen) });
});

test("qBittorrent on another port is told, and left as it is", async () => {
  const { report, fake } = await examine({ fake: { preferences: { listen_port: 6881 } } });
  expect(report.of("listen port")).toMatchObject({
    verdict: "problem",
    seen: "qBittorrent listens on 6881, and the VPN forwards 51413",
  });
  expect(fake.preferences["listen_port"]).toBe(6881);
});

test("gluetun's control server stands in for an empty port file", async () => {
  const port = await freePort();
  const server = createServer((_request, response) => response.end('{"port":6881}'));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const env = { GLUETUN_ADDR: `http://127.0.0.1:${port}` };
  const { report } = await examine({ port: "", env, fake: { preferences: { listen_port: 6881 } } });
  server.close();
  expect(report.of("gluetun")).toMatchObject({ verdict: "ok" });
  expect(report.of("port file")).toMatchObject({ verdict: "ok", seen: expect.stringContaining("is empty") });
  expect(report.of("listen port").seen).toBe("qBittorrent listens on the forwarded port 6881");
});

test("an address that another program has", async () => {
  const port = await freePort();
  const server = createServer((_request, response) => response.end("hello"));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { report } = await examine({ env: { HEALTH_ADDR: `127.0.0.1:${port}` } });
  server.close();
  expect(report.of("health address")).toMatchObject({
    verdict: "problem",
    seen: `127.0.0.1:${port} is taken by another program`,
    todo: expect.stringContaining("HEALTH_ADDR"),
  });
});
