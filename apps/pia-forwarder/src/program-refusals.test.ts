import { FakeClock, piaTerms } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { isForwarded, listenPort, pass, world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 180_000 });

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

describe("PIA says no", () => {
  test("ports for three hours only: each is replaced in time, not at once", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    at.pia.model.signatureMs = 180 * minuteMs;
    await using _life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    await pass(clock, 60 * minuteMs);
    expect(at.pia.gateway.count("getSignature")).toBe(1);
    await pass(clock, 60 * minuteMs);
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
      graceMs: 50,
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
      graceMs: 50,
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

  test.each([
    ["a proxy's page", { kind: "answer", status: 502, body: "<html>Bad Gateway</html>" }],
    ["nothing", { kind: "answer", status: 200, body: "" }],
    ["PIA's own failure", { kind: "answer", status: 500, body: '{"status":"ERROR","message":"internal"}' }],
  ] as const)(
    "%s for an answer: the port is kept, and bound again within its minutes",
    async (_what, fault) => {
      const clock = new FakeClock(Date.now());
      await using at = await world({ clock });
      await using life = at.start();
      await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
      const port = listenPort(at.qbittorrent);
      at.pia.gateway.faults.next("bindPort", fault, 3);
      const binds = at.pia.gateway.count("bindPort");
      await clock.advanceUntil(() => at.pia.gateway.count("bindPort") === binds + 4, {
        what: "three tries that fail and one that does not",
        withinMs: 14 * minuteMs,
      });
      expect(at.pia.gateway.bindings.isBound(port)).toBe(true);
      expect(at.pia.gateway.count("getSignature")).toBe(1);
      expect(life.complaints().map(({ err }) => err?.type)).toEqual(["PiaResponseError"]);
    },
  );

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
