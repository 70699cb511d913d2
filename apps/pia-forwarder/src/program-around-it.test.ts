import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { isForwarded, listenPort, pass, world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

const minuteMs = 60_000;

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

  test("a qBittorrent that says it does not listen is made to, with the port that is held", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    await using life = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const port = listenPort(at.qbittorrent);
    at.qbittorrent.becomeDeaf();
    await clock.advanceUntil(() => at.qbittorrent.isListening && listenPort(at.qbittorrent) === port, {
      what: "listening again",
      withinMs: 5 * minuteMs,
    });
    // The change that gave the port may have been overtaken by a newer look, and then is not among them.
    await expect
      .poll(() => life.get("/status"))
      .toMatchObject({
        changes: expect.arrayContaining([expect.objectContaining({ kind: "rebind", to: port })]),
      });
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
