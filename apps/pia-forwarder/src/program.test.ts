import { FakeClock, piaTerms, waitFor } from "@qbit-sidecars/testing";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chmod, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { isForwarded, listenPort, pass, readState, world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 30_000 });

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const noLogin = { PIA_USERNAME: undefined, PIA_PASSWORD: undefined };

describe("starting", () => {
  test("with user name and password qBittorrent soon listens on a port that PIA forwards", async () => {
    await using at = await world();
    await using life = at.start();
    const port = await life.settled();
    await waitFor(async () => (await fetch(`${life.health}/readyz`)).status === 200, { what: "being ready" });
    expect(await life.get("/status")).toMatchObject({
      held: true,
      port,
      gateway: "127.0.0.1",
      token: { from: "login" },
      given: { converged: true, port },
      trouble: [],
    });
    const metrics = await life.metrics();
    expect(metrics).toContain(`pia_forwarder_port ${port}`);
    expect(metrics).toContain(`pia_forwarder_qbittorrent_port ${port}`);
    expect(Number(/pia_forwarder_port_expiry_timestamp_seconds (\d+)/u.exec(metrics)?.[1])).toBeGreaterThan(
      (Date.now() + 61 * dayMs) / 1000,
    );
    expect(at.qbittorrent.preferences).toMatchObject({ random_port: false, upnp: false });
  });

  test.each([
    ["the token alone", (token: string) => token],
    [
      "the token and the date of its end, as PIA's script writes it",
      (token: string) => `${token}\nSat Nov 21 23:30:18 2026\n`,
    ],
    ["the token with CRLF", (token: string) => `${token}\r\nirgendwann\r\n`],
  ])("with a token file alone is enough: %s", async (_what, text) => {
    await using at = await world({ env: noLogin });
    await writeFile(join(at.folder, "pia_token"), text(at.pia.model.grantToken()));
    await using life = at.start();
    await life.settled();
    expect(at.pia.tokens.logins()).toBe(0);
    expect(await life.get("/status")).toMatchObject({ token: { from: "file" } });
  });

  test("a good token in the file saves the login, a token PIA refuses is followed by one", async () => {
    await using at = await world();
    const path = join(at.folder, "pia_token");
    await writeFile(path, at.pia.model.grantToken());
    at.pia.model.revokeTokens();
    await using life = at.start();
    await life.settled();
    expect(at.pia.tokens.logins()).toBe(1);
    expect(life.complaints()).toEqual([]);
  });

  test("without a token it says what it needs, and takes the token once it is there", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, env: noLogin });
    await using life = at.start();
    await waitFor(() => life.complaints().some(({ err }) => err?.message.includes("PIA_USERNAME")), {
      what: "a complaint",
    });
    await writeFile(join(at.folder, "pia_token"), at.pia.model.grantToken());
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    expect(life.complaints()).toHaveLength(1);
  });

  test("with only one of user name and password it does not start", async () => {
    await using at = await world();
    await using life = at.start({ env: { PIA_PASSWORD: undefined } });
    expect(await life.exited).toBe(2);
    expect(life.complaints()[0]?.msg).toMatch(/PIA_USERNAME[^]*PIA_PASSWORD/u);
  });

  test("a CHECK_INTERVAL that would lose the port is refused", async () => {
    await using at = await world();
    await using life = at.start({ env: { CHECK_INTERVAL: "901" } });
    expect(await life.exited).toBe(2);
    expect(life.complaints()[0]?.msg).toMatch(/CHECK_INTERVAL[^]*more than 15m/u);
  });

  test("a PIA_CA_CERT that is no certificate is told by name", async () => {
    await using at = await world();
    await writeFile(join(at.folder, "ca.rsa.4096.crt"), "nonsense");
    await using life = at.start();
    expect(await life.exited).toBe(1);
    expect(life.complaints().at(-1)?.err?.message).toContain("PIA_CA_CERT");
  });

  test("the gateway is found where the tunnel is", async () => {
    await using at = await world({ env: { PIA_GATEWAY: undefined } });
    await using life = at.start();
    await life.settled();
    expect(await life.get("/status")).toMatchObject({ gateway: "127.0.0.1" });
  });

  test("a server of another name is told by the name it carries, and taken once that is set", async () => {
    await using at = await world({ env: { PIA_HOSTNAME: "zurich406" } });
    await using life = at.start();
    await waitFor(() => life.complaints().length > 0, { what: "a complaint" });
    expect(life.complaints()[0]?.err).toMatchObject({
      type: "PiaCertificateError",
      message: expect.stringContaining("panama408"),
    });
    await using next = at.start({ env: { PIA_HOSTNAME: "panama408" } });
    await next.settled();
  });
});

describe("a restart", () => {
  test("keeps the port, and neither logs in nor asks for another one", async () => {
    await using at = await world();
    const first = at.start();
    const port = await first.settled();
    expect(await first.stop()).toBe(0);
    const signatures = at.pia.gateway.count("getSignature");
    at.qbittorrent.setPreferences({ listen_port: 6881 });
    await using second = at.start();
    expect(await second.settled()).toBe(port);
    expect(at.pia.gateway.count("getSignature")).toBe(signatures);
    expect(at.pia.tokens.logins()).toBe(1);
  });

  test("on another server keeps the port too", async () => {
    await using at = await world();
    const first = at.start();
    const port = await first.settled();
    await first.stop();
    at.pia.gateway.bindings.drop();
    await using second = at.start({ env: { PIA_GATEWAY: "127.0.0.2", PIA_HOSTNAME: "zurich406" } });
    expect(await second.settled()).toBe(port);
    expect(at.pia.otherGateway.bindings.ports).toEqual([port]);
  });

  test("finds a state file for its owner only, with PIA's payload byte for byte", async () => {
    await using at = await world();
    at.pia.model.style = { extra: { z: 1, a: "später" }, unpadded: true };
    await using life = at.start();
    const port = await life.settled();
    const kept = await readState(at);
    expect(kept).toMatchObject({ version: 1, port, hostname: "panama408", gateway: "127.0.0.1" });
    expect((await stat(at.stateFile)).mode & 0o777).toBe(0o600);
    expect(at.pia.gateway.calls.find(({ name }) => name === "bindPort")?.query).toEqual({
      payload: kept["payload"],
      signature: kept["signature"],
    });
  });

  test.each([
    ["nonsense", "{"],
    ["another program's", '{"version":7}'],
    ["half of it", '{"version":1,"payload":"eyJ'],
  ])("with a state file that is %s gets another port and says so", async (_what, text) => {
    await using at = await world();
    const first = at.start();
    await first.settled();
    await first.stop();
    await writeFile(at.stateFile, text);
    await using second = at.start();
    await waitFor(() => second.complaints().some(({ msg }) => msg.includes("not a state file")), {
      what: "a complaint",
    });
    await waitFor(async () => (await readState(at))["payload"] !== undefined, { what: "a new state file" });
  });

  test("with a password that does not work any more keeps the port all the same", async () => {
    await using at = await world();
    const first = at.start();
    const port = await first.settled();
    await first.stop();
    await using second = at.start({ env: { PIA_PASSWORD: "wrong" } });
    expect(await second.settled()).toBe(port);
    expect(second.complaints()).toEqual([]);
  });

  test("where nothing can be kept still gets a port, and says what that costs", async () => {
    await using at = await world();
    await writeFile(join(at.folder, "file"), "");
    await using life = at.start({ env: { STATE_DIR: join(at.folder, "file", "state") } });
    await life.settled();
    expect(life.complaints()[0]?.msg).toMatch(/another port is asked for after every restart/u);
    expect(await life.metrics()).toContain("state_dir_writable 0");
  });
});

describe("time passes", () => {
  test("a token is got anew before its 24 hours are over, a port is not", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const port = listenPort(at.qbittorrent);
    await pass(clock, dayMs - 10 * minuteMs);
    expect(at.pia.tokens.logins()).toBe(2);
    expect(at.pia.gateway.count("getSignature")).toBe(1);
    expect(listenPort(at.qbittorrent)).toBe(port);
    expect(life.complaints()).toEqual([]);
  });

  test("after a night of suspend the port is bound as soon as the machine is awake", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const port = listenPort(at.qbittorrent);
    clock.jumpWallClock(8 * 60 * minuteMs);
    expect(at.pia.gateway.bindings.isBound(port)).toBe(false);
    await clock.advanceUntil(() => at.pia.gateway.bindings.isBound(port), {
      what: "the port again",
      withinMs: 10_000,
    });
    await waitFor(() => life.lines.some(({ msg }) => msg.includes("took port")), { what: "a rebind" });
  });

  test("a clock that is set back a day does not delay the binding", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const binds = at.pia.gateway.count("bindPort");
    clock.jumpWallClock(-dayMs);
    await clock.advanceUntil(() => at.pia.gateway.count("bindPort") > binds, {
      what: "a binding",
      withinMs: 6 * minuteMs,
    });
    expect(life.complaints()).toEqual([]);
  });

  test("a tunnel that was made anew has the port within seconds, and qBittorrent takes it anew", async () => {
    const clock = new FakeClock(Date.now());
    let index = "7";
    await using at = await world({ clock, host: { interfaceIndex: () => Promise.resolve(index) } });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const port = listenPort(at.qbittorrent);
    await waitFor(() => at.qbittorrent.isListening, { what: "listening" });
    const isBack = () =>
      at.pia.gateway.bindings.isBound(port) &&
      at.qbittorrent.isListening &&
      listenPort(at.qbittorrent) === port;
    at.pia.gateway.bindings.drop();
    at.qbittorrent.becomeDeaf();
    index = "8";
    await clock.advanceUntil(() => isBack(), {
      what: "port and qBittorrent",
      withinMs: 20_000,
    });
    expect(await life.get("/status")).toMatchObject({ changes: [{ kind: "rebind" }, { kind: "set" }] });
  });

  test("a binding that fails is tried again within the fifteen minutes, told once, and ready all the while", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const port = listenPort(at.qbittorrent);
    await at.pia.gateway.down();
    await clock.advanceUntil(() => life.complaints().length > 0, {
      what: "a complaint",
      withinMs: 6 * minuteMs,
    });
    await clock.advance(4 * minuteMs);
    expect((await fetch(`${life.health}/readyz`)).status).toBe(200);
    await at.pia.gateway.up();
    const binds = at.pia.gateway.count("bindPort");
    await clock.advanceUntil(() => at.pia.gateway.count("bindPort") > binds, {
      what: "a binding",
      withinMs: 61_000,
    });
    expect(at.pia.gateway.bindings.isBound(port)).toBe(true);
    expect(life.complaints().map(({ err }) => err?.type)).toEqual(["PiaUnreachableError"]);
    expect(await life.metrics()).toContain('pia_forwarder_failures_total{reason="PiaUnreachableError"}');
    await waitFor(() => life.lines.some(({ msg }) => msg.includes("took port")), { what: "a rebind" });
  });

  test("before its end the port is replaced, the old one bound until qBittorrent has left it", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, env: { RENEW_BEFORE: "1d" } });
    at.pia.model.signatureMs = 2 * dayMs;
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const old = listenPort(at.qbittorrent);
    await pass(clock, dayMs - minuteMs);
    await waitFor(() => at.pia.gateway.bindings.isBound(old), { what: "being bound" });
    await at.qbittorrent.down();
    await clock.advanceUntil(() => at.pia.gateway.bindings.ports.length === 2, {
      what: "both ports",
      withinMs: 30 * minuteMs,
    });
    await pass(clock, 2 * 60 * minuteMs);
    expect(at.pia.gateway.bindings.isBound(old)).toBe(true);
    await at.qbittorrent.up();
    await clock.advanceUntil(() => listenPort(at.qbittorrent) !== old, { what: "the new port" });
    expect(isForwarded(at.pia, at.qbittorrent)).toBe(true);
    await pass(clock, 20 * minuteMs);
    await waitFor(() => !at.pia.gateway.bindings.isBound(old), { what: "the old port being let go" });
    expect(await life.get("/status")).not.toHaveProperty("previous_port");
  });
});

describe("PIA says no", () => {
  test("ports for three days only: each is replaced in time, not at once", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    at.pia.model.signatureMs = 3 * dayMs;
    await using _life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    await pass(clock, dayMs);
    expect(at.pia.gateway.count("getSignature")).toBe(1);
    await pass(clock, dayMs);
    expect(at.pia.gateway.count("getSignature")).toBe(2);
    expect(isForwarded(at.pia, at.qbittorrent)).toBe(true);
  });

  test("bad signature: another port is got, bound and given over without a person", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const old = listenPort(at.qbittorrent);
    at.pia.model.replaceSigningKey();
    await clock.advanceUntil(() => listenPort(at.qbittorrent) !== old, {
      what: "another port",
      withinMs: 6 * minuteMs,
    });
    expect(isForwarded(at.pia, at.qbittorrent)).toBe(true);
    expect(await life.metrics()).toContain('pia_forwarder_failures_total{reason="PiaSignatureError"} 1');
  });

  test("port expired: another port is got at once, whatever this machine's clock says", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    at.pia.model.signatureMs = 61 * dayMs;
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const old = listenPort(at.qbittorrent);
    at.pia.gateway.faults.next("bindPort", {
      kind: "answer",
      status: 400,
      body: '{"status":"ERROR","message":"port expired"}',
    });
    await clock.advanceUntil(() => listenPort(at.qbittorrent) !== old, {
      what: "another port",
      withinMs: 6 * minuteMs,
    });
    expect(life.complaints()).toEqual([]);
  });

  test("busy: the port is tried once more, then another one is got; a busy server is told and outwaited", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const old = listenPort(at.qbittorrent);
    at.pia.gateway.bindings.drop();
    at.pia.gateway.bindings.occupy("all");
    const before = at.pia.gateway.count("getSignature");
    await clock.advanceUntil(() => life.complaints().some(({ err }) => err?.type === "PiaBusyError"), {
      what: "the complaint",
      withinMs: 10 * minuteMs,
    });
    await pass(clock, 60 * minuteMs);
    expect(at.pia.gateway.count("getSignature") - before).toBeLessThan(45);
    expect((await fetch(`${life.health}/readyz`)).status).toBe(503);
    at.pia.gateway.bindings.occupy([old]);
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), {
      what: "another port",
      withinMs: 3 * minuteMs,
    });
    expect(listenPort(at.qbittorrent)).not.toBe(old);
  });

  test("words nobody knows: the port is tried twice more before it is given up", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const old = listenPort(at.qbittorrent);
    const said = { kind: "answer", status: 200, body: '{"status":"ERROR","message":"quota"}' } as const;
    at.pia.gateway.faults.next("bindPort", said, 2);
    const binds = at.pia.gateway.count("bindPort");
    await clock.advanceUntil(() => at.pia.gateway.count("bindPort") === binds + 3, {
      what: "three bindings",
    });
    expect(at.pia.gateway.bindings.isBound(old)).toBe(true);
    expect(at.pia.gateway.count("getSignature")).toBe(1);
    at.pia.gateway.faults.next("bindPort", said, 3);
    await clock.advanceUntil(() => listenPort(at.qbittorrent) !== old, { what: "another port" });
    expect(life.complaints().map(({ err }) => err?.type)).toContain("PiaRefusedError");
  });

  test("unauthorized with a new token: told as a wrong gateway, and the login is left alone", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    at.pia.gateway.faults.set("getSignature", {
      kind: "answer",
      status: 401,
      body: '{"status":"ERROR","message":"Unauthorized client"}',
    });
    await using life = at.start();
    await clock.advanceUntil(() => life.complaints().length > 0, { what: "a complaint" });
    await pass(clock, 6 * 60 * minuteMs);
    expect(at.pia.tokens.logins()).toBe(2);
    expect(life.complaints()[0]?.err?.message).toMatch(/not the gateway of the tunnel/u);
    at.pia.gateway.faults.clear();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), {
      what: "the port",
      withinMs: 16 * minuteMs,
    });
  });

  test("a wrong password is tried so seldom in a day that no lock can come of it", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, env: { PIA_PASSWORD: "wr0ng-s3cret" } });
    await using life = at.start();
    await clock.advanceUntil(() => at.pia.tokens.logins() > 0, { what: "a login" });
    await pass(clock, dayMs);
    expect(at.pia.tokens.logins()).toBeLessThanOrEqual(9);
    expect(
      life
        .complaints()
        .map(({ err }) => err?.type)
        .filter(Boolean),
    ).toEqual(["PiaLoginError"]);
    expect((await fetch(`${life.health}/livez`)).status).toBe(200);
    expect(JSON.stringify(life.lines)).not.toContain("wr0ng-s3cret");
  });

  test("too many attempts: PIA is left alone for minutes, then asked again", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    at.pia.model.lockOut();
    await using life = at.start();
    await clock.advanceUntil(() => life.complaints().length > 0, { what: "a complaint" });
    const logins = at.pia.tokens.logins();
    await clock.advance(piaTerms.lockOutMs - minuteMs);
    expect(at.pia.tokens.logins()).toBe(logins);
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), {
      what: "the port",
      withinMs: 10 * minuteMs,
    });
    expect(at.pia.tokens.logins()).toBe(2);
  });

  test("while a port is held, a login that fails is a warning and no outage", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    at.pia.tokens.faults.set("token", { kind: "answer", status: 401, body: '{"message":"Login failed!"}' });
    await pass(clock, 2 * dayMs);
    expect((await fetch(`${life.health}/readyz`)).status).toBe(200);
    expect(await life.get("/status")).toMatchObject({ held: true, trouble: [{ error: "PiaLoginError" }] });
    expect(life.complaints()).toHaveLength(1);
  });
});

describe("others", () => {
  test("PIA away at the start: it is waited for, and told once", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, env: { PIA_GATEWAY: undefined } });
    await at.pia.gateway.down();
    await using life = at.start();
    await clock.advanceUntil(() => life.complaints().length > 0, { what: "a complaint" });
    await pass(clock, 3 * 60 * minuteMs);
    await at.pia.gateway.up();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), {
      what: "the port",
      withinMs: 3 * minuteMs,
    });
    expect(life.complaints().map(({ err }) => err?.type)).toEqual(["PiaUnreachableError"]);
  });

  test("what is right already is not set again", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using _life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    await pass(clock, 2 * 60 * minuteMs);
    expect(at.qbittorrent.calls.count("app/setPreferences")).toBe(1);
    expect(at.pia.gateway.count("bindPort")).toBeGreaterThan(20);
  });

  test("qBittorrent away for hours: the port is held meanwhile, and given over when it comes", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await at.qbittorrent.down();
    await using life = at.start();
    await clock.advanceUntil(() => at.pia.gateway.bindings.ports.length === 1, { what: "the port" });
    await pass(clock, 5 * 60 * minuteMs);
    expect(at.pia.gateway.bindings.ports).toHaveLength(1);
    await at.qbittorrent.up();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), {
      what: "the port",
      withinMs: minuteMs,
    });
    expect(life.complaints().map(({ err }) => err?.type)).toEqual(["QbitUnreachableError"]);
  });

  test("a port changed by hand in qBittorrent is put right within a minute", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using _life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const port = listenPort(at.qbittorrent);
    at.qbittorrent.setPreferences({ listen_port: 6881, upnp: true });
    await clock.advanceUntil(() => listenPort(at.qbittorrent) === port, {
      what: "the port",
      withinMs: 61_000,
    });
    expect(at.qbittorrent.preferences["upnp"]).toBe(false);
  });

  test("a session that qBittorrent has forgotten is opened again by itself", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({
      clock,
      fake: { auth: { username: "admin", password: "adminadmin" } },
      env: { QBITTORRENT_USERNAME: "admin", QBITTORRENT_PASSWORD: "adminadmin" },
    });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const port = listenPort(at.qbittorrent);
    await at.qbittorrent.restart();
    at.qbittorrent.setPreferences({ listen_port: 6881 });
    await clock.advanceUntil(() => listenPort(at.qbittorrent) === port, { what: "the port" });
    expect(life.complaints().map(({ err }) => err?.type)).not.toContain("QbitAuthError");
  });

  test("the port file is gluetun's: the port and nothing else, for all to read, written only on a change", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    const path = join(at.folder, "gluetun", "forwarded_port");
    await using life = at.start({ env: { PORT_FILE: path, SET_QBITTORRENT: "false" } });
    await clock.advanceUntil(() => at.pia.gateway.bindings.ports.length === 1, { what: "the port" });
    const [port] = at.pia.gateway.bindings.ports;
    await waitFor(async () => (await readFile(path, "utf8")) === String(port), { what: "the file" });
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    const { mtimeNs } = await stat(path, { bigint: true });
    await pass(clock, 60 * minuteMs);
    expect((await stat(path, { bigint: true })).mtimeNs).toBe(mtimeNs);
    expect(at.qbittorrent.calls.list("app/setPreferences")).toEqual([]);
    await at.pia.gateway.down();
    await pass(clock, 30 * minuteMs);
    await waitFor(async () => (await readFile(path, "utf8")) === "", { what: "the file being cleared" });
    await at.pia.gateway.up();
    await clock.advanceUntil(async () => (await readFile(path, "utf8")) === String(port), {
      what: "the port again",
    });
    expect(life.complaints()).not.toEqual([]);
  });

  test("a command and a webhook hear of the port", async () => {
    const bodies: string[] = [];
    const server = createServer((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => bodies.push(text));
      request.on("end", () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port: hookPort } = server.address() as AddressInfo;
    try {
      await using at = await world();
      const out = join(at.folder, "out");
      const script = join(at.folder, "hook");
      await writeFile(script, `#!/bin/sh\necho "$1 $2" > ${out}\n`);
      await chmod(script, 0o755);
      await using life = at.start({
        env: {
          ON_CHANGE_COMMAND: `${script} {{PORT}} {{PREVIOUS_PORT}}`,
          WEBHOOK_URL: `http://127.0.0.1:${hookPort}/`,
        },
      });
      const before = listenPort(at.qbittorrent);
      const port = await life.settled();
      await waitFor(async () => (await readFile(out, "utf8")) === `${port} ${before}\n`, {
        what: "the command",
      });
      await waitFor(() => bodies.length > 0, { what: "the webhook" });
      expect(JSON.parse(bodies.join(""))).toMatchObject({ port, previous_port: before, kind: "set" });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe("asking", () => {
  test("--once binds, gives the port over and ends with 0; the next time it is the same port", async () => {
    await using at = await world();
    await using first = at.start({ args: ["--once"] });
    expect(await first.exited).toBe(0);
    const port = listenPort(at.qbittorrent);
    expect(isForwarded(at.pia, at.qbittorrent)).toBe(true);
    await using second = at.start({ args: ["--once"] });
    expect(await second.exited).toBe(0);
    expect(listenPort(at.qbittorrent)).toBe(port);
    expect(at.pia.tokens.logins()).toBe(1);
  });

  test("--once ends with 1 and the reason when PIA or qBittorrent cannot be reached", async () => {
    await using at = await world();
    await at.qbittorrent.down();
    await using deaf = at.start({ args: ["--once"] });
    expect(await deaf.exited).toBe(1);
    await at.pia.gateway.down();
    await using alone = at.start({ args: ["--once"] });
    expect(await alone.exited).toBe(1);
    expect(alone.complaints().at(-1)?.err?.type).toBe("PiaUnreachableError");
  });

  test("`status` shows what the running service tells, and what was kept when there is none", async () => {
    await using at = await world();
    const life = at.start();
    const port = await life.settled();
    const env = { HEALTH_ADDR: life.health.slice("http://".length), LOG_LEVEL: "silent" };
    await using asked = at.start({ args: ["status"], env });
    expect(await asked.exited).toBe(0);
    expect(JSON.parse(asked.stdout())).toMatchObject({ running: true, held: true, port });
    await life.stop();
    await using kept = at.start({ args: ["status"], env });
    expect(await kept.exited).toBe(1);
    expect(JSON.parse(kept.stdout())).toEqual({ running: false, port, expires_at: expect.any(String) });
    await using none = at.start({
      args: ["status"],
      env: { ...env, STATE_DIR: join(at.folder, "elsewhere") },
    });
    expect(await none.exited).toBe(1);
    expect(none.stdout()).toContain("ENOENT");
  });
});

test("no secret reaches a log line, a status page, a metric or standard output", async () => {
  const clock = new FakeClock(Date.now());
  await using at = await world({
    clock,
    pia: { password: "pia-s3cret" },
    fake: { auth: { username: "admin", password: "qbit-s3cret" } },
    env: {
      QBITTORRENT_PASSWORD: "qbit-s3cret",
      WEBHOOK_URL: "http://127.0.0.1:1/hook-s3cret",
      LOG_LEVEL: "trace",
    },
  });
  await using life = at.start();
  await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
  await clock.advanceUntil(() => life.lines.some(({ msg }) => msg.startsWith("tell-change failed")), {
    what: "the webhook failing",
  });
  const kept = await readState(at);
  at.pia.model.revokeTokens();
  at.pia.model.replaceSigningKey();
  await at.pia.gateway.down();
  await pass(clock, 10 * minuteMs);
  await at.pia.gateway.up();
  await clock.advanceUntil(() => at.pia.tokens.logins() === 2, { what: "another login" });
  const pages = await Promise.all(["/status", "/readyz", "/livez"].map((path) => life.get(path)));
  const all = JSON.stringify([life.lines, pages]) + life.stdout() + (await life.metrics());
  const secrets = [
    "pia-s3cret",
    "qbit-s3cret",
    "hook-s3cret",
    kept["token"],
    kept["payload"],
    kept["signature"],
  ];
  for (const secret of secrets) expect(all).not.toContain(secret);
});

test("a token file that gets another token is read again when PIA refuses the old one", async () => {
  const clock = new FakeClock(Date.now());
  await using at = await world({ clock, env: noLogin });
  const path = join(at.folder, "pia_token");
  await writeFile(path, at.pia.model.grantToken());
  at.pia.model.revokeTokens();
  await using life = at.start();
  await clock.advanceUntil(() => life.complaints().length > 0, { what: "a complaint" });
  expect(life.complaints()[0]?.err?.type).toBe("PiaUnauthorizedError");
  await writeFile(path, at.pia.model.grantToken());
  await utimes(path, new Date(), new Date());
  await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), {
    what: "the port",
    withinMs: 20 * minuteMs,
  });
});
