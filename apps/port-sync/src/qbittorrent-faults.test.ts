import {
  FakeClock,
  type FakeQbittorrent,
  selfSignedCertificate,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 30_000 });

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
