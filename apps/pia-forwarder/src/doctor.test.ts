import { runDoctor } from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { program } from "./program.ts";
import { loopbackHost, world, type WorldOptions } from "./program.fixture.ts";

/** pia-forwarder's doctor between a fake PIA and a fake qBittorrent. */
async function examine(
  options: WorldOptions = {},
  before?: (at: Awaited<ReturnType<typeof world>>) => Promise<unknown>,
) {
  await using at = await world(options);
  await before?.(at);
  const report = await runDoctor((process) => program(process, { host: loopbackHost }), {
    env: { ...at.env, HEALTH_ADDR: at.spareAddress },
  });
  const calls = at.qbittorrent.calls;
  return { report, logins: at.pia.tokens.logins(), bound: at.pia.gateway.bindings.ports, calls, at };
}

test("all is well, no port was asked for, and one login was made at each", async () => {
  const { report, logins, bound, calls } = await examine();
  expect(report.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
  expect(report.code).toBe(0);
  expect(report.of("PIA token").seen).toBe("PIA takes the user name and password");
  expect([logins, bound]).toEqual([1, []]);
  expect(calls.count("app/setPreferences")).toBe(0);
  expect(report.text).not.toContain("pia-password");
});

test("a running pia-forwarder has a token: no login is made", async () => {
  await using at = await world();
  await using life = at.start();
  await life.settled();
  const before = at.pia.tokens.logins();
  const report = await runDoctor((process) => program(process, { host: loopbackHost }), {
    env: { ...at.env, HEALTH_ADDR: life.health.slice("http://".length) },
  });
  expect(report.of("PIA token").seen).toContain("no login was tried");
  expect(report.of("health address").seen).toContain("pia-forwarder runs");
  expect(at.pia.tokens.logins()).toBe(before);
});

test("a wrong password for PIA", async () => {
  const { report } = await examine({ env: { PIA_PASSWORD: "wr0ng-s3cret" } });
  expect(report.of("PIA token")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("refuses the user name and password"),
    todo: expect.stringContaining("PIA_PASSWORD"),
  });
  expect(report.code).toBe(1);
  expect(report.text).not.toContain("wr0ng-s3cret");
});

test("a server of tokens that is away leaves the clock to be looked at by hand", async () => {
  const { report } = await examine({ env: { PIA_TOKEN_URL: "https://127.0.0.1:1/token" } });
  expect(report.of("clock")).toMatchObject({
    verdict: "unknown",
    seen: expect.stringContaining("token server"),
    todo: "compare `date` with the time of day",
  });
});

test("no gateway answers", async () => {
  const { report } = await examine({}, ({ pia }) =>
    Promise.all([pia.gateway.down(), pia.otherGateway.down()]),
  );
  expect(report.of("PIA gateway")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("see that the tunnel is up"),
  });
});

test("an authority that is none, and what depends on it", async () => {
  const { report } = await examine({}, (at) => writeFile(at.env["PIA_CA_CERT"] ?? "", "hello"));
  expect(report.of("PIA's authority")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("ca.rsa.4096.crt"),
  });
  expect(report.of("PIA gateway").verdict).toBe("unknown");
});

test("a state directory that cannot be made is a problem, and is not made", async () => {
  const { report } = await examine({ env: { STATE_DIR: "/dev/null/state" } });
  expect(report.of("state directory")).toMatchObject({
    verdict: "problem",
    seen: "/dev/null is in the way: it is no folder",
  });
});

test("a state file of a newer version", async () => {
  await using at = await world();
  await using life = at.start();
  await life.settled();
  await life.stop();
  await writeFile(at.stateFile, '{"version":2,"secret_of_the_future":"t0ken"}');
  const report = await runDoctor((process) => program(process, { host: loopbackHost }), {
    env: { ...at.env, HEALTH_ADDR: at.spareAddress },
  });
  expect(report.of("state file")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("written by a newer version (its format is 2"),
  });
  expect(report.text).not.toContain("t0ken");
});

test("without SET_QBITTORRENT nobody asks qBittorrent, and the port file's folder is looked at", async () => {
  const { report, calls } = await examine({
    env: { SET_QBITTORRENT: "false", PORT_FILE: "/dev/null/x/port" },
  });
  expect(report.checks.map(({ name }) => name)).not.toContain("qbittorrent");
  expect(report.of("port file").verdict).toBe("problem");
  expect(calls.list()).toEqual([]);
});
