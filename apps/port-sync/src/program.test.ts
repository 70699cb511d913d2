import { tempDir, waitFor } from "@qbit-sidecars/testing";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { program } from "./program.ts";
import { world } from "./program.fixture.ts";

vi.setConfig({ testTimeout: 30_000 });

describe("settings that could only fail later are refused at once", () => {
  test.each([
    [{ QBIT_ADDR: "http://joe:hunter2@127.0.0.1" }, /QBIT_ADDR[^]*holds a user name/u],
    [{ WEBHOOK_URL: "file:///etc/hunter2" }, /WEBHOOK_URL[^]*not a URL that begins/u],
    [{ ON_CHANGE_COMMAND: "  " }, /ON_CHANGE_COMMAND[^]*not a program/u],
  ])("%j", async (env, fault) => {
    const { code, stderr } = await exitOf(env);
    expect(code).toBe(2);
    expect(stderr).toMatch(fault);
    expect(stderr).not.toContain("hunter2");
  });

  test.each([
    ["/no/such/file", "does not exist"],
    ["/dev/zero", "regular file"],
    ["/etc/hostname", "holds no certificate"],
  ])("QBIT_CA_CERT_FILE=%s", async (path, problem) => {
    await using at = await world({ env: { QBIT_CA_CERT_FILE: path } });
    expect(await at.exited).toBe(2);
    expect(at.complaints()[0]?.msg).toContain(problem);
  });
});

/** Runs a port-sync that ends by itself before it logs. */
async function exitOf(env: Record<string, string>): Promise<{ code: number; stderr: string }> {
  let stderr = "";
  const process = {
    argv: ["node", "main.js"],
    env,
    stdout: { write: () => {} },
    stderr: { write: (text: string) => (stderr += text) },
    exitCode: 0,
    on: () => {},
    exit: () => {},
  };
  await program(process);
  return { code: process.exitCode, stderr };
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("people and programs ask", () => {
  test("POST /rebind takes the port anew, but not for a web page", async () => {
    await using at = await world({ port: "51413" });
    await at.synced(51_413);
    const foreign = await fetch(`${at.health}/rebind`, {
      method: "POST",
      headers: { origin: "http://evil.example" },
    });
    expect(foreign.status).toBe(403);
    const sets = at.setsOf().length;
    expect((await fetch(`${at.health}/rebind`, { method: "POST" })).status).toBe(202);
    await waitFor(async () => JSON.stringify(await at.get("/status")).includes("asked for"), {
      what: "the rebind",
    });
    expect(at.setsOf().length).toBe(sets + 2);
    expect(at.fake.preferences["listen_port"]).toBe(51_413);
  });

  test("REANNOUNCE tells the trackers of active torrents after a change", async () => {
    await using at = await world({ port: "50000", env: { REANNOUNCE: "true" } });
    at.fake.updateTorrent(at.fake.addTorrent(), { state: "uploading", upspeed: 1000 });
    await at.synced(50_000);
    await at.forward("51413");
    await waitFor(() => at.fake.calls.count("torrents/reannounce") > 0, { what: "a reannounce" });
  });

  test("--once syncs, says so and ends with 0; without a port it ends with 1 and says why", async () => {
    await using well = await world({ args: ["--once"], port: "51413" });
    expect(await well.exited).toBe(0);
    expect(well.fake.preferences["listen_port"]).toBe(51_413);
    await using portless = await world({ args: ["--once"] });
    expect(await portless.exited).toBe(1);
    expect(portless.complaints()[0]?.msg).toMatch(/no port file/u);
    await using alone = await world({ args: ["--once"], port: "51413", down: true });
    expect(await alone.exited).toBe(1);
    expect(alone.complaints().map(({ msg }) => msg)).toEqual([expect.stringContaining("connection refused")]);
  });

  test("--once from cron, with a wrong password, is no ban; with the right one it is well at once", async () => {
    await using folder = await tempDir();
    vi.stubEnv("TMPDIR", folder.path);
    const fake = { auth: { username: "admin", password: "right" } };
    await using at = await world({ fake, port: "51413", env: { QBIT_PASS: "wrong" }, args: ["--once"] });
    const url = () => at.fake.url;
    expect(await at.exited).toBe(1);
    for (let run = 2; run <= 7; run += 1) {
      await using again = await world({ url, port: "51413", env: { QBIT_PASS: "wrong" }, args: ["--once"] });
      expect(await again.exited).toBe(1);
      expect(again.complaints()[0]?.msg).toMatch(/refused this user name and password 1 times/u);
    }
    expect(at.fake.calls.count("auth/login")).toBe(1);
    const kept = async () =>
      (await readdir(folder.path)).filter((name) => /^port-sync-.*\.json$/u.test(name));
    expect(await readFile(join(folder.path, (await kept())[0] ?? ""), "utf8")).not.toContain("wrong");
    await using well = await world({ url, port: "51413", env: { QBIT_PASS: "right" }, args: ["--once"] });
    expect(await well.exited).toBe(0);
    expect(await kept()).toEqual([]);
  });

  test("--once tells its change too, and ends with 1 when nobody could be told", async () => {
    await using dir = await tempDir();
    const out = join(dir.path, "out");
    const once = { args: ["--once"], port: "51413" };
    await using told = await world({ ...once, env: { ON_CHANGE_COMMAND: `cp /proc/self/environ ${out}` } });
    expect(await told.exited).toBe(0);
    expect(await readFile(out, "utf8")).toContain("PORT=51413");
    await using untold = await world({ ...once, env: { ON_CHANGE_COMMAND: "false" } });
    expect(await untold.exited).toBe(1);
    expect(untold.complaints()[0]?.msg).toBe('running ON_CHANGE_COMMAND "false": it ended with 1');
  });
});

test("no secret reaches a log line, a status page or a metric", async () => {
  const secrets = ["passw0rd-s3cret", "gluetun-s3cret", "hook-s3cret"];
  await using at = await world({
    fake: { auth: { username: "admin", password: "passw0rd-s3cret" } },
    env: {
      QBIT_PASS: "passw0rd-s3cret",
      GLUETUN_ADDR: "http://127.0.0.1:1",
      GLUETUN_API_KEY: "gluetun-s3cret",
      WEBHOOK_URL: "http://127.0.0.1:1/hook-s3cret",
      LOG_LEVEL: "trace",
    },
    port: "51413",
  });
  await at.synced(51_413);
  await waitFor(() => at.lines.some(({ msg }) => msg.startsWith("tell-change failed")), {
    what: "the webhook failing",
  });
  await at.forward("");
  await waitFor(async () => (await at.reason()).includes("control server"), { what: "gluetun being asked" });
  const pages = await Promise.all(["/status", "/readyz", "/livez"].map((path) => at.get(path)));
  const all = JSON.stringify([at.lines, pages]) + (await at.metrics());
  for (const secret of secrets) expect(all).not.toContain(secret);
});
