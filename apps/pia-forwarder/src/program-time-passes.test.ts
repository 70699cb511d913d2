import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import { describe, expect, test, vi } from "vitest";
import { isForwarded, listenPort, pass, world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 180_000 });

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

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
    await using at = await world({ clock, host: { lookEveryMs: 5000 } });
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

  test.each([
    ["over the renewal", 57],
    ["past the port's end", 80],
  ])("after a suspend %s another port is bound and given over within seconds", async (_what, days) => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock, host: { lookEveryMs: 5000 } });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const old = listenPort(at.qbittorrent);
    clock.jumpWallClock(days * dayMs);
    await clock.advanceUntil(
      () => listenPort(at.qbittorrent) !== old && isForwarded(at.pia, at.qbittorrent),
      {
        what: "another port",
        withinMs: 20_000,
      },
    );
    expect(life.complaints()).toEqual([]);
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
    await using at = await world({
      clock,
      host: { lookEveryMs: 5000, interfaceIndex: () => Promise.resolve(index) },
    });
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
    // It is kept once qBittorrent has confirmed it.
    await expect
      .poll(() => life.get("/status"))
      .toMatchObject({ changes: [{ kind: "rebind" }, { kind: "set" }] });
  });

  test("a tunnel that was made anew in the middle of a renewal has both ports within seconds", async () => {
    const clock = new FakeClock(Date.now());
    let index = "7";
    await using at = await world({
      clock,
      env: { RENEW_BEFORE: "1h" },
      host: { lookEveryMs: 5000, interfaceIndex: () => Promise.resolve(index) },
    });
    at.pia.model.signatureMs = 120 * minuteMs;
    await using _life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const old = listenPort(at.qbittorrent);
    await pass(clock, 59 * minuteMs);
    await at.qbittorrent.down();
    const both = () => at.pia.gateway.bindings.ports.length === 2;
    await clock.advanceUntil(both, { what: "both ports", withinMs: 30 * minuteMs });
    at.pia.gateway.bindings.drop();
    index = "8";
    await clock.advanceUntil(both, { what: "both ports again", withinMs: 20_000 });
    expect(at.pia.gateway.bindings.isBound(old)).toBe(true);
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
    await using at = await world({ clock, env: { RENEW_BEFORE: "1h" } });
    at.pia.model.signatureMs = 120 * minuteMs;
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const old = listenPort(at.qbittorrent);
    await pass(clock, 59 * minuteMs);
    await waitFor(() => at.pia.gateway.bindings.isBound(old), { what: "being bound" });
    await at.qbittorrent.down();
    await clock.advanceUntil(() => at.pia.gateway.bindings.ports.length === 2, {
      what: "both ports",
      withinMs: 30 * minuteMs,
    });
    await pass(clock, 40 * minuteMs);
    await clock.advanceUntil(() => at.pia.gateway.bindings.isBound(old), {
      what: "the old port",
      withinMs: 6 * minuteMs,
    });
    await at.qbittorrent.up();
    await clock.advanceUntil(() => listenPort(at.qbittorrent) !== old, { what: "the new port" });
    expect(isForwarded(at.pia, at.qbittorrent)).toBe(true);
    await pass(clock, 20 * minuteMs);
    await waitFor(() => !at.pia.gateway.bindings.isBound(old), { what: "the old port being let go" });
    expect(await life.get("/status")).not.toHaveProperty("previous_port");
  });
});
