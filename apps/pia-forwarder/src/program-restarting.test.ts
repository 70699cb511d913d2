import { FakeClock, waitFor } from "@qbit-sidecars/testing";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { isForwarded, listenPort, pass, readState, world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 60_000 });

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

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
    expect(second.lines.map(({ msg }) => msg)).toContain(`PIA forwards port ${port} (kept)`);
  });

  test("keeps a port that PIA granted for hours only until half of them are over", async () => {
    const clock = new FakeClock(Date.now());
    await using at = await world({ clock });
    at.pia.model.signatureMs = 3 * hourMs;
    const first = at.start();
    await clock.advanceUntil(() => isForwarded(at.pia, at.qbittorrent), { what: "the port" });
    const port = listenPort(at.qbittorrent);
    await first.stop();
    const second = at.start();
    await waitFor(() => at.pia.gateway.count("bindPort") > 1, { what: "the port bound again" });
    await pass(clock, hourMs);
    expect(at.pia.gateway.count("getSignature")).toBe(1);
    await second.stop();
    await using _third = at.start();
    await clock.advanceUntil(() => listenPort(at.qbittorrent) !== port, {
      what: "another",
      withinMs: 2 * hourMs,
    });
    expect(at.pia.gateway.count("getSignature")).toBe(2);
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
    ["nonsense", "{", "not a state file"],
    ["a newer version's", '{"version":7}', "was written by a newer version"],
    ["half of it", '{"version":1,"payload":"eyJ', "not a state file"],
  ])("with a state file that is %s gets another port, says so and keeps it", async (_what, text, why) => {
    await using at = await world();
    const first = at.start();
    await first.settled();
    await first.stop();
    await writeFile(at.stateFile, text);
    await using second = at.start();
    await waitFor(() => second.complaints().some(({ msg }) => msg.includes(why)), {
      what: "a complaint",
    });
    await waitFor(async () => (await readState(at))["payload"] !== undefined, { what: "a new state file" });
    const [kept = ""] = (await readdir(dirname(at.stateFile))).filter((name) => name.includes("set-aside"));
    await expect(readFile(join(dirname(at.stateFile), kept), "utf8")).resolves.toBe(text);
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
