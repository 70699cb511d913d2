import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import { rm, truncate, unlink } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 30_000 });

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
