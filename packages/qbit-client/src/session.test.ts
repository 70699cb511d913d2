import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import {
  FakeClock,
  freePort,
  type FakeQbittorrentOptions,
  selfSignedCertificate,
  startFakeQbittorrent,
} from "@qbit-sidecars/testing";
import { describe, expect, test } from "vitest";
import type { Auth } from "./auth.ts";
import { QbitClient, type QbitClientOptions } from "./client.ts";
import {
  QbitAuthError,
  QbitBannedError,
  QbitError,
  QbitRejectedError,
  QbitUnreachableError,
} from "./errors.ts";
import type { QbitEvent } from "./events.ts";

const right = { kind: "password", username: "admin", password: "correct horse" } as const;
const wrong: Auth = { kind: "password", username: "admin", password: "guess" };
const [minute, hour] = [60_000, 3_600_000];

/** A fake that wants a password, and a client of it, on one clock that a test moves. */
async function start(options: { server?: FakeQbittorrentOptions; client?: Partial<QbitClientOptions> } = {}) {
  const closing = new AsyncDisposableStack();
  const clock = new FakeClock();
  const login = { username: right.username, password: right.password };
  const server = closing.use(await startFakeQbittorrent({ auth: login, clock, ...options.server }));
  const events: QbitEvent[] = [];
  const onEvent = (event: QbitEvent): void => void events.push(event);
  const client = closing.use(
    new QbitClient({ url: server.url, auth: right, clock, onEvent, ...options.client }),
  );
  const logins = (): number => server.calls.count("auth/login");
  const happened = (): string[] => events.map(({ type }) => type).filter((type) => type !== "request");
  return {
    clock,
    server,
    client,
    events,
    logins,
    happened,
    [Symbol.asyncDispose]: async () => await closing.disposeAsync(),
  };
}

for (const version of ["4.2.5", "4.5.2", "5.1.0", "5.3.0"] as const) {
  describe(`a session with qBittorrent ${version}`, () => {
    test("one login serves any number of calls at the same time", async () => {
      await using world = await start({ server: { version } });
      await Promise.all(Array.from({ length: 20 }, async () => await world.client.transfer.info()));
      expect(world.logins()).toBe(1);
      expect(world.happened()).toEqual(["login"]);
    });

    test("a wrong password is shown at most twice in an hour of calls every minute", async () => {
      await using world = await start({ server: { version }, client: { auth: wrong } });
      for (let elapsed = 0; elapsed < hour; elapsed += minute) {
        await expect(world.client.transfer.info()).rejects.toThrow(QbitAuthError);
        await world.clock.advance(minute);
      }
      expect(world.logins()).toBe(2);
    });

    test("a wrong password never leads to a ban, not in a week", async () => {
      await using world = await start({ server: { version }, client: { auth: wrong } });
      for (let elapsed = 0; elapsed < 7 * 24 * hour; elapsed += hour / 2) {
        await expect(world.client.transfer.info()).rejects.toThrow(QbitAuthError);
        await world.clock.advance(hour / 2);
      }
      expect(world.logins()).toBe(4);
      expect(world.happened()).not.toContain("banned");
    });

    test("a refused login says when the next try is, and calls soon after it do not reach the network", async () => {
      await using world = await start({ server: { version }, client: { auth: wrong } });
      await expect(world.client.transfer.info()).rejects.toMatchObject({
        kind: "auth",
        retryAfterMs: 30_000,
      });
      const calls = world.server.calls.count();
      await world.clock.advance(10_000);
      await expect(world.client.transfer.info()).rejects.toMatchObject({
        kind: "auth",
        retryAfterMs: 20_000,
      });
      expect(world.server.calls.count()).toBe(calls);
    });

    test("a restart while the client waits is noticed, and a password that is right now is tried at once", async () => {
      await using world = await start({ server: { version }, client: { auth: wrong } });
      for (let hours = 0; hours < 48; hours += 1) {
        await expect(world.client.transfer.info()).rejects.toThrow(QbitAuthError);
        await world.clock.advance(hour);
      }
      expect(world.logins()).toBe(4);
      const error = await world.client.transfer.info().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ kind: "auth", retryAfterMs: minute });
      expect(String(error)).toContain("no more tries until qBittorrent restarts");
      await world.server.down();
      await world.clock.advance(minute);
      await expect(world.client.transfer.info()).rejects.toThrow("connection refused");
      await world.server.restart();
      world.server.setPreferences({ web_ui_password: "guess" });
      await expect(world.client.transfer.info()).resolves.toBeDefined();
    });

    test("a client that waits looks for qBittorrent every 15 s at most, without its password", async () => {
      await using world = await start({ server: { version }, client: { auth: wrong } });
      await expect(world.client.transfer.info()).rejects.toThrow(QbitAuthError);
      await world.clock.advance(30_000);
      await expect(world.client.transfer.info()).rejects.toMatchObject({
        kind: "auth",
        retryAfterMs: minute,
      });
      const calls = world.server.calls.count();
      for (let second = 0; second < 60; second += 1) {
        await world.clock.advance(1000);
        await expect(world.client.transfer.info()).rejects.toThrow(
          /refused.*; the next try is in (60|59) min$/u,
        );
      }
      expect(world.server.calls.count() - calls).toBe(4);
      expect(world.logins()).toBe(2);
    });

    test("a client that waits is let in as soon as authentication is bypassed", async () => {
      await using world = await start({ server: { version }, client: { auth: wrong } });
      await expect(world.client.transfer.info()).rejects.toThrow(QbitAuthError);
      world.server.setPreferences({ bypass_local_auth: true });
      await world.clock.advance(15_000);
      for (let call = 0; call < 3; call += 1)
        await expect(world.client.transfer.info()).resolves.toBeDefined();
      expect(world.server.sessions).toBe(1);
      expect(world.logins()).toBe(1);
    });

    test("a forgotten session is opened again and the call repeated, once for all callers", async () => {
      await using world = await start({ server: { version } });
      await world.client.transfer.info();
      world.server.dropSessions();
      await Promise.all(Array.from({ length: 10 }, async () => await world.client.transfer.info()));
      expect(world.logins()).toBe(2);
      expect(world.happened()).toEqual(["login", "sessionLost", "login"]);
    });

    test("a ban is named, and no login is tried until it is over", async () => {
      await using world = await start({ server: { version } });
      world.server.ban();
      await expect(world.client.transfer.info()).rejects.toMatchObject({
        kind: "banned",
        retryAfterMs: minute,
        message: expect.stringMatching(/trying again in 60 min$/u),
      });
      await world.clock.advance(hour - 1);
      await expect(world.client.transfer.info()).rejects.toThrow(QbitBannedError);
      expect(world.logins()).toBe(1);
      await world.clock.advance(1);
      await expect(world.client.transfer.info()).resolves.toBeDefined();
    });

    test("a ban ends with the qBittorrent that spoke it", async () => {
      await using world = await start({ server: { version } });
      world.server.ban();
      await expect(world.client.transfer.info()).rejects.toThrow(QbitBannedError);
      await world.server.down();
      await world.clock.advance(minute);
      await expect(world.client.transfer.info()).rejects.toThrow("connection refused");
      await world.server.restart();
      await expect(world.client.transfer.info()).resolves.toBeDefined();
    });

    test("bypassed authentication uses one session for all calls", async () => {
      await using world = await start({
        server: { version, auth: "bypass" },
        client: { auth: { kind: "none" } },
      });
      for (let call = 0; call < 5; call += 1) await world.client.transfer.info();
      expect(world.server.sessions).toBe(1);
      expect(world.logins()).toBe(0);
    });
  });
}

test("without credentials a qBittorrent that wants some is a clear error", async () => {
  await using world = await start({ client: { auth: { kind: "none" } } });
  await expect(world.client.transfer.info()).rejects.toThrow(
    "reading the transfer status: qBittorrent wants a login, and neither user name and password nor an API key are set",
  );
});

test("a secret that is corrected in its file heals at the next call", async () => {
  let auth: Auth = wrong;
  await using world = await start({ client: { auth: () => auth } });
  await expect(world.client.transfer.info()).rejects.toThrow(QbitAuthError);
  auth = right;
  await expect(world.client.transfer.info()).resolves.toBeDefined();
});

test("secrets that change again and again do not get more tries than a constant one", async () => {
  let count = 0;
  const auth = (): Auth => ({ ...wrong, password: `guess ${(count += 1)}` });
  await using world = await start({ client: { auth } });
  for (let call = 0; call < 100; call += 1) {
    await expect(world.client.transfer.info()).rejects.toThrow(QbitAuthError);
    await world.clock.advance(hour);
  }
  expect(world.logins()).toBe(4);
});

test("after qBittorrent was gone, a refused password may be tried again at once", async () => {
  await using world = await start({ client: { auth: wrong } });
  await expect(world.client.transfer.info()).rejects.toThrow(QbitAuthError);
  await world.server.down();
  await world.clock.advance(30_000);
  await expect(world.client.transfer.info()).rejects.toThrow(QbitUnreachableError);
  await world.server.restart();
  await expect(world.client.transfer.info()).rejects.toMatchObject({ kind: "auth", retryAfterMs: 30_000 });
  expect(world.happened()).toEqual(["loginRefused", "unreachable", "reachable", "loginRefused"]);
});

test("a login whose answer is lost counts as a failed one", async () => {
  await using world = await start();
  world.server.faults.set("auth/login", { kind: "reset", applied: true });
  for (let call = 0; call < 50; call += 1) {
    await expect(world.client.transfer.info()).rejects.toThrow(QbitError);
    await world.clock.advance(hour);
  }
  expect(world.logins()).toBe(4);
});

test("a login that was lost is tried again half a minute later", async () => {
  await using world = await start();
  world.server.faults.next("auth/login", { kind: "reset" });
  await expect(world.client.transfer.info()).rejects.toThrow(QbitUnreachableError);
  await world.clock.advance(30_000);
  await expect(world.client.transfer.info()).resolves.toBeDefined();
});

test("after a lost login the password is not shown again to a server that answers nothing", async () => {
  await using world = await start({ client: { timeoutMs: 100 } });
  world.server.faults.set("*", { kind: "hang" });
  for (let call = 0; call < 3; call += 1) {
    await expect(world.client.transfer.info()).rejects.toMatchObject({ reason: "timeout" });
    await world.clock.advance(24 * hour);
  }
  expect(world.logins()).toBe(1);
  world.server.faults.clear();
  await expect(world.client.transfer.info()).resolves.toBeDefined();
});

test("an error while waiting reads the same as the one before, but for its numbers", async () => {
  await using world = await start({ client: { auth: wrong } });
  const messages = new Set<string>();
  for (let elapsed = 0; elapsed < hour; elapsed += minute) {
    const error = await world.client.transfer.info().catch((thrown: unknown) => thrown);
    messages.add(String(error).replaceAll(/\d+/gu, "N"));
    await world.clock.advance(minute);
  }
  expect([...messages]).toHaveLength(1);
});

test("a server that answers as if it let everybody in, and does not, gets no more logins for that", async () => {
  await using world = await start({ client: { auth: wrong } });
  world.server.faults.set("app/webapiVersion", { kind: "answer", status: 200, body: "2.9.3" });
  for (let call = 0; call < 100; call += 1) {
    await expect(world.client.transfer.info()).rejects.toThrow(QbitAuthError);
    await world.clock.advance(hour);
  }
  expect(world.logins()).toBe(4);
});

test("a server that is not there costs no try", async () => {
  await using world = await start();
  await world.server.down();
  for (let call = 0; call < 10; call += 1)
    await expect(world.client.transfer.info()).rejects.toThrow("connection refused");
  await world.server.up();
  await expect(world.client.transfer.info()).resolves.toBeDefined();
});

test("a server that first does not speak TLS is logged in to as soon as it does", async () => {
  const certificate = selfSignedCertificate({ names: ["127.0.0.1"] });
  const answer: RequestListener = (_request, response) => void response.writeHead(204).end();
  const port = await freePort();
  using client = new QbitClient({
    url: `https://127.0.0.1:${port}`,
    auth: right,
    ca: certificate.cert,
    clock: new FakeClock(),
  });
  await listening(createHttpServer(answer), port, async () => {
    await expect(client.auth.login()).rejects.toMatchObject({ reason: "tls" });
  });
  await listening(createHttpsServer(certificate, answer), port, async () => {
    await expect(client.auth.login()).resolves.toBeUndefined();
  });
});

async function listening(server: Server, port: number, use: () => Promise<void>): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  await use();
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
}

test("a 500 to a login does not count: the password was not looked at", async () => {
  await using world = await start();
  world.server.faults.next("auth/login", { kind: "answer", status: 502, body: "Bad Gateway" }, 10);
  for (let call = 0; call < 10; call += 1) {
    await expect(world.client.transfer.info()).rejects.toMatchObject({ kind: "response", status: 502 });
  }
  await expect(world.client.transfer.info()).resolves.toBeDefined();
});

test("an aborted caller does not abort the login that others wait for", async () => {
  await using world = await start();
  const impatient = world.client.transfer.info({ signal: AbortSignal.abort(new Error("lost interest")) });
  await expect(impatient).rejects.toThrow("lost interest");
  const abort = new AbortController();
  const first = world.client.transfer.info({ signal: abort.signal });
  const second = world.client.transfer.info();
  abort.abort(new Error("gave up"));
  await expect(first).rejects.toThrow("gave up");
  await expect(second).resolves.toBeDefined();
  expect(world.logins()).toBe(1);
});

test("401 to everything is not a wrong password: no second login, and the Host header is blamed", async () => {
  await using world = await start();
  world.server.faults.set("*", { kind: "answer", status: 401, body: "Unauthorized" });
  for (let call = 0; call < 6; call += 1)
    await expect(world.client.transfer.info()).rejects.toThrow(QbitRejectedError);
  world.server.faults.clear();
  await expect(world.client.transfer.info()).resolves.toBeDefined();
});

test("a proxy's Basic header that qBittorrent takes for a login is not repeated into a ban", async () => {
  const headers = { Authorization: "Basic YTpi" };
  await using world = await start({ client: { auth: { kind: "none" }, headers } });
  for (let call = 0; call < 20; call += 1)
    await expect(world.client.transfer.info()).rejects.toThrow(QbitError);
  expect(world.server.calls.count()).toBe(1);
});

describe("with an API key", () => {
  const apiKey = `qbt_${"a".repeat(28)}`;

  test("nothing logs in", async () => {
    await using world = await start({ server: { apiKey }, client: { auth: { kind: "apiKey", apiKey } } });
    await world.client.transfer.info();
    expect(world.logins()).toBe(0);
  });

  test("a wrong one is an error of its own, and counts nowhere", async () => {
    await using world = await start({
      server: { apiKey },
      client: { auth: { kind: "apiKey", apiKey: `qbt_${"b".repeat(28)}` } },
    });
    for (let call = 0; call < 10; call += 1) {
      await expect(world.client.transfer.info()).rejects.toThrow("qBittorrent refuses the API key");
    }
  });

  test.each(["qbt_aaaa\n", "qbt_a\raaa", "qbt_äää", "qbt_\u0000"])(
    "one that no header can hold (%j) is a clear error, and nothing is sent",
    async (unsendable) => {
      await using world = await start({ client: { auth: { kind: "apiKey", apiKey: unsendable } } });
      const error = await world.client.transfer.info().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(QbitAuthError);
      expect(error).toMatchObject({ retryAfterMs: undefined });
      expect(String(error)).toMatch(/API key holds a line break .* trailing newline in its file$/u);
      expect(String(error)).not.toContain("qbt_");
      expect(world.server.calls.count()).toBe(0);
    },
  );

  test("a rotated one is taken up by the same call", async () => {
    const keys = [`qbt_${"b".repeat(28)}`, apiKey];
    const auth = (): Auth => ({ kind: "apiKey", apiKey: keys.shift() ?? apiKey });
    await using world = await start({ server: { apiKey }, client: { auth } });
    await expect(world.client.transfer.info()).resolves.toBeDefined();
  });

  test("a qBittorrent that is too old for keys is named as the reason", async () => {
    await using world = await start({
      server: { version: "5.1.0" },
      client: { auth: { kind: "apiKey", apiKey } },
    });
    await expect(world.client.transfer.info()).rejects.toThrow("does not know API keys");
  });

  test("one that is ignored, because authentication is bypassed, is told", async () => {
    await using world = await start({
      server: { version: "5.1.0", auth: "bypass" },
      client: { auth: { kind: "apiKey", apiKey } },
    });
    await world.client.capabilities();
    expect(world.happened()).toEqual(["apiKeyIgnored"]);
  });
});

test("the versions are asked again after a restart", async () => {
  await using world = await start();
  await world.client.capabilities();
  await world.client.capabilities();
  expect(world.server.calls.count("app/webapiVersion")).toBe(1);
  await world.server.restart();
  await world.client.transfer.info();
  await world.client.capabilities();
  expect(world.server.calls.count("app/webapiVersion")).toBe(2);
});
