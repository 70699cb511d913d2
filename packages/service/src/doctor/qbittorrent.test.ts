import { declareSettings, qbitSettings, readCommandLine } from "@qbit-sidecars/config";
import {
  freePort,
  type FakeQbittorrentOptions,
  selfSignedCertificate,
  startFakeQbittorrent,
} from "@qbit-sidecars/testing";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { systemClock } from "../clock.ts";
import { createService } from "../service.ts";
import { memoryLog } from "../test-log.ts";
import { qbittorrentDoctor } from "./qbittorrent.ts";
import { type Examined, runChecks } from "./run-checks.ts";

const settings = declareSettings(qbitSettings({ url: { env: ["QB"], default: "http://localhost:8080" } }));

type World = {
  fake?: FakeQbittorrentOptions;
  env?: Record<string, string>;
  /** What the running service answers to probes. */
  running?: Record<string, unknown>;
  /** This machine's clock is so much ahead. */
  aheadMs?: number;
  before?: (fake: Awaited<ReturnType<typeof startFakeQbittorrent>>) => Promise<unknown>;
};

async function examine({ fake: options, env = {}, running, aheadMs = 0, before }: World = {}) {
  await using fake = await startFakeQbittorrent(options);
  await before?.(fake);
  const read = await readCommandLine(
    { name: "app", version: "1.0.0", about: "Looks.", settings },
    { argv: [], env: { QB: fake.url, ...env } },
  );
  if (read.kind === "exit") throw new Error(read.stderr);
  const port = await freePort();
  const server = createServer((request, response) =>
    response.end(JSON.stringify(running?.[request.url ?? ""] ?? {})),
  );
  if (running !== undefined) await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { log } = await memoryLog();
  const { signal } = new AbortController();
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const service = createService({
    name: "app",
    version: "1.0.0",
    log,
    signal,
    clock,
    random: Math.random,
    beforeStop: () => {},
  });
  const { checks } = await qbittorrentDoctor({
    config: read.config,
    service,
    settings,
    health: { host: "127.0.0.1", port },
    clockMatters: "ages are wrong",
  });
  const found: Record<string, Examined> = {};
  for await (const examined of runChecks(checks, { signal })) found[examined.name] = examined;
  await service.closers.disposeAsync();
  server.close();
  return { found, calls: fake.calls };
}

const login = { username: "admin", password: "right" };

test("nobody need log in: none is tried, and there is no session to end", async () => {
  const { found, calls } = await examine();
  expect(found["qbittorrent"]).toMatchObject({
    verdict: "ok",
    seen: expect.stringContaining("qBittorrent 5.3.0"),
  });
  expect(found["qbittorrent login"]).toMatchObject({
    verdict: "ok",
    seen: expect.stringContaining("none was tried"),
  });
  expect(found["clock"]).toMatchObject({ verdict: "ok" });
  expect(calls.count("auth/login")).toBe(0);
});

test("a login is wanted, and nothing is set", async () => {
  const { found } = await examine({ fake: { auth: login } });
  expect(found["qbittorrent login"]).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("neither user name and password nor an API key are set"),
    todo: expect.stringContaining("QBIT_USER and QBIT_PASS, or QBIT_API_KEY"),
  });
});

test("this address is banned", async () => {
  const { found, calls } = await examine({
    fake: { auth: login },
    env: { QBIT_USER: "admin", QBIT_PASS: "right" },
    async before({ url }) {
      for (let tries = 0; tries < 6; tries += 1)
        await fetch(`${url}/api/v2/auth/login`, {
          method: "POST",
          body: new URLSearchParams({ username: "admin", password: "wrong" }),
        });
    },
  });
  expect(found["qbittorrent login"]).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("banned this address"),
    todo: expect.stringContaining("find the program with the wrong password"),
  });
  expect(calls.count("auth/login")).toBe(7);
});

test.each([
  { detail: "nothing listens at http://localhost:8080", logins: 1 },
  { detail: "qBittorrent refused the user name or password", logins: 0 },
])("beside a running service that says '$detail' there are $logins logins", async ({ detail, logins }) => {
  const running = {
    "/healthz": { name: "app" },
    "/livez": { dependencies: { qbittorrent: { ok: false, detail } } },
  };
  const env = { QBIT_USER: "admin", QBIT_PASS: "right" };
  const { found, calls } = await examine({ fake: { auth: login }, env, running });
  expect(calls.count("auth/login")).toBe(logins);
  expect(found["qbittorrent login"]?.verdict).toBe(logins === 1 ? "ok" : "problem");
});

test("what another program says at that address is not believed", async () => {
  const running = {
    "/healthz": { name: "other" },
    "/livez": { dependencies: { qbittorrent: { ok: false, detail: "refused" } } },
  };
  const env = { QBIT_USER: "admin", QBIT_PASS: "right" };
  const { found } = await examine({ fake: { auth: login }, env, running });
  expect(found["qbittorrent login"]?.verdict).toBe("ok");
});

test("a qBittorrent that does not answer in time is not called broken", async () => {
  const { found } = await examine({
    env: { QBIT_TIMEOUT: "100ms" },
    before: async ({ faults }) => faults.next("app/webapiVersion", { kind: "hang" }),
  });
  expect(found["qbittorrent"]).toMatchObject({
    verdict: "unknown",
    todo: expect.stringContaining("QBIT_TIMEOUT"),
  });
  expect(found["qbittorrent login"]?.verdict).toBe("unknown");
});

test("a web page, and a certificate that nobody signed", async () => {
  const page = await examine({
    before: async ({ faults }) =>
      faults.next("app/webapiVersion", {
        kind: "answer",
        status: 200,
        body: "<!doctype html><title>Login</title>",
      }),
  });
  expect(page.found["qbittorrent"]).toMatchObject({
    verdict: "problem",
    todo: "see that QB is the address of qBittorrent's Web UI",
  });
  const { key, cert } = selfSignedCertificate({ names: ["127.0.0.1"] });
  const unsigned = await examine({ fake: { https: { key, cert } } });
  expect(unsigned.found["qbittorrent"]).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("QBIT_CA_CERT_FILE"),
  });
});

test("a clock that is an hour ahead", async () => {
  const { found } = await examine({ aheadMs: 3_600_000 });
  expect(found["clock"]).toMatchObject({
    verdict: "problem",
    seen: expect.stringMatching(/^this clock is 3\d{3} s ahead of that of qBittorrent: ages are wrong$/u),
  });
});
