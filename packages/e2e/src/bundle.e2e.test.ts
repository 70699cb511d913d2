import { freePort, tempDir, waitFor } from "@qbit-sidecars/testing";
import { execFile, type ExecFileException } from "node:child_process";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runApp } from "./run-app.ts";
import { setStage } from "./stage.ts";

const apps = ["port-sync", "pia-forwarder", "ntfy-sidecar"] as const;

/** What an app cannot start without. */
const required = { NTFY_TOPIC: "http://127.0.0.1:1/downloads" };

type Ended = { code: number; stdout: string; stderr: string };

/** Runs a bundle to its end with nothing in its environment but `env`. */
function run(bundle: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bundle, ...args],
      { env: { ...required, ...env } },
      (error: ExecFileException | null, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe.each(apps)("the bundle of %s", (app) => {
  const bundle = fileURLToPath(new URL(`../../../apps/${app}/dist/main.js`, import.meta.url));

  test("runs alone, wherever it is copied", async () => {
    await using dir = await tempDir();
    const copy = join(dir.path, "main.js");
    await copyFile(bundle, copy);
    expect(await run(copy, ["--version"])).toEqual({ code: 0, stdout: `${app} 0.1.0\n`, stderr: "" });
    expect((await run(copy, ["--help"])).stdout).toContain("Usage:");
  });

  test("names every fault of its settings at once and ends with 2", async () => {
    const { code, stderr } = await run(bundle, ["--helth-addr", "x"], {
      LOG_LEVEL: "loud",
      QBIT_URL: "ftp://x",
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/--helth-addr[^]*--health-addr/u);
    expect(stderr).toContain("LOG_LEVEL");
    expect(stderr).toContain("QBIT_URL");
  });

  test("prints what is in force, with its sources and without secrets", async () => {
    const { code, stdout } = await run(bundle, ["--print-config"], {
      QBIT_PASS: "s3cret",
      QBIT_URL: "http://qb:1",
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/http:\/\/qb:1.*QBIT_URL/u);
    expect(stdout).not.toContain("s3cret");
  });

  test("answers `healthcheck` with 0 while the service runs and with 1 when it does not", async () => {
    const env = { HEALTH_ADDR: `127.0.0.1:${await freePort()}`, QBIT_URL: "http://127.0.0.1:1" };
    expect((await run(bundle, ["healthcheck"], env)).code).toBe(1);
    await using service = runApp(app, { env: { ...required, ...env } });
    await waitFor(() => service.lines.some(({ msg }) => msg.startsWith("health and metrics")), {
      what: "health",
    });
    expect((await run(bundle, ["healthcheck"], env)).code).toBe(0);
  });

  test("`healthcheck` finds the address in a config file, and says why the answer is no", async () => {
    await using dir = await tempDir();
    const configFile = join(dir.path, "config.yml");
    await writeFile(configFile, `health_addr: 127.0.0.1:${await freePort()}\n`);
    const env = { CONFIG_FILE: configFile, QBIT_URL: "http://127.0.0.1:1" };
    const none = { HEALTH_ADDR: `127.0.0.1:${await freePort()}` };
    expect(await run(bundle, ["healthcheck"], none)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ECONNREFUSED"),
    });
    await using service = runApp(app, { env: { ...required, ...env } });
    await waitFor(() => service.lines.some(({ msg }) => msg.startsWith("health and metrics")), {
      what: "health",
    });
    expect((await run(bundle, ["healthcheck"], env)).code).toBe(0);
  });

  test("ends with 0 on SIGTERM", async () => {
    const env = { HEALTH_ADDR: `127.0.0.1:${await freePort()}`, QBIT_URL: "http://127.0.0.1:1" };
    await using service = runApp(app, { env: { ...required, ...env } });
    await waitFor(() => service.lines.some(({ msg }) => msg.startsWith("health and metrics")), {
      what: "health",
    });
    service.kill("SIGTERM");
    expect(await service.ended).toBe(0);
    expect(service.errors).toBe("");
  });
});

test("port-sync --once sets the port on a real qBittorrent and ends with 0", async () => {
  await using stage = await setStage();
  stage.portSync.kill("SIGTERM");
  await stage.portSync.ended;
  const port = await stage.unusedPort();
  await stage.gluetun.forward(port);
  const env = { QBIT_ADDR: stage.qbittorrent.url, PORT_FILE: stage.gluetun.portFile };
  expect(await runApp("port-sync", { args: ["--once"], env }).ended).toBe(0);
  await stage.listensOn(port);
});
