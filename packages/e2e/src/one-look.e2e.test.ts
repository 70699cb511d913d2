import { freePort, type TempDir, tempDir, waitFor } from "@qbit-sidecars/testing";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { appEnvironment, appNames, repository } from "./app-images.ts";
import { runApp, type RunningApp } from "./run-app.ts";

/** How the seven may differ: the program's name, and what their metrics begin with. */
const own: Readonly<Record<string, { program?: string; metrics: string }>> = {
  "port-sync": { metrics: "port_sync_" },
  "pia-forwarder": { metrics: "pia_forwarder_" },
  "ntfy-sidecar": { metrics: "ntfy_sidecar_" },
  "rules-server": { program: "qbt-rules", metrics: "qbt_rules_" },
  "rules-worker": { metrics: "qbt_rules_" },
  "qbsync-source": { metrics: "qbsync_" },
  "qbsync-destination": { metrics: "qbsync_" },
};

/** What every service measures, see packages/service. */
const commonMetrics =
  /^(qbit_sidecars_build_info|process_|nodejs_|http_request_duration_seconds|reconcile_|state_dir_writable)/u;

/** Headings that every README has, in this order; an app's own stand between the second and the third, or at the end. */
const headings = [
  "Compose",
  "Helm",
  "What it tells",
  "When something is wrong",
  "State: backup, restore, downgrade",
  "Settings",
];

const files = ["app.ts", "config.ts", "docs.test.ts", "doctor.ts", "main.ts", "program.ts"];

type Body = Readonly<Record<string, unknown>> & { readonly status: string };

type Ended = { code: number; stdout: string; stderr: string };

describe.each(appNames)("%s", (app) => {
  const { program = app, metrics = "" } = own[app] ?? {};
  let folder: TempDir;
  let env: Record<string, string>;
  let health: string;

  beforeAll(async () => {
    folder = await tempDir(`${app}-`);
    health = `127.0.0.1:${await freePort()}`;
    env = {
      ...appEnvironment(app, health),
      STATE_DIR: folder.path,
      LISTEN_ADDR: `127.0.0.1:${await freePort()}`,
      QBIT_URL: "http://127.0.0.1:1",
      QBT_RULES_CONFIG_DIR: folder.path,
      QBT_RULES_SERVER_HOST: "127.0.0.1",
      QBSYNC_SOURCE_DATA: folder.path,
      QBSYNC_DESTINATION_DATA: folder.path,
      QBSYNC_DESTINATION_LISTEN: `127.0.0.1:${await freePort()}`,
    };
  });
  afterAll(() => folder[Symbol.asyncDispose]());

  const run = (...args: string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const bundle = join(repository, "apps", app, "dist/main.js");
      execFile(process.execPath, [bundle, ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  const serveArgs = app === "rules-server" ? ["--serve"] : [];

  test("has the files that CONTRIBUTING.md names, and a main.ts that does nothing but run the program", async () => {
    const there = await readdir(join(repository, "apps", app, "src"));
    expect(there).toEqual(expect.arrayContaining(files));
    const main = await readFile(join(repository, "apps", app, "src/main.ts"), "utf8");
    expect(main.replaceAll(/\s+/gu, " ")).toMatch(
      /^import \{ mainProgram \} from "@qbit-sidecars\/service\/main"; import process from "node:process"; void mainProgram\(process, \{[^;]*\}\); $/u,
    );
  });

  test("says its version, and its help in the common layout", async () => {
    expect(await run("--version")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^${program} \\d+\\.\\d+\\.\\d+\\n$`, "u")),
    });
    const { code, stdout } = await run("--help");
    expect(code).toBe(0);
    const [first, about] = stdout.split("\n");
    expect(first).toMatch(new RegExp(`^${program} \\d`, "u"));
    expect(about).toMatch(/^[A-Z].{20}/u);
    const sections = [...stdout.slice(stdout.indexOf("\nUsage:")).matchAll(/^([A-Z][^:\n]*):(?=$| )/gmu)].map(
      ([, name]) => name,
    );
    expect(sections.slice(0, 2)).toEqual(["Usage", "Commands"]);
    expect(sections.filter((name) => name !== "Examples").slice(-2)).toEqual([
      "Every program",
      "How values are found",
    ]);
    expect(stdout).toContain(`Usage: ${program} [flags] [command]\n`);
    for (const command of ["doctor", "healthcheck"])
      expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, "mu"));
  });

  test("ends with 2 for settings that are wrong, with 1 when it cannot do its work", async () => {
    const wrong = await run(...serveArgs, "--no-such-flag", "--log-level", "loud");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("--no-such-flag");
    expect(wrong.stderr).toContain("LOG_LEVEL");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(Number(health.split(":")[1]), "127.0.0.1", resolve));
    await using service = runApp(app, { env, args: serveArgs });
    expect(await service.ended).toBe(1);
    expect(service.lines.find(({ level }) => level === "fatal")?.err?.message).toContain(
      "another program uses this port",
    );
    await new Promise((resolve) => server.close(resolve));
  });

  describe("while it runs", () => {
    let service: RunningApp;
    beforeAll(async () => {
      service = runApp(app, { env, args: serveArgs });
      const isUp = async () => (await fetch(`http://${health}/healthz`)).ok;
      await waitFor(isUp, { what: `${app} to be up`, timeoutMs: 20_000 });
    });
    afterAll(() => service[Symbol.asyncDispose]());

    const ask = async (path: string) => {
      const response = await fetch(`http://${health}${path}`);
      const body: Body = JSON.parse(await response.text());
      return { status: response.status, type: response.headers.get("content-type"), body };
    };
    const isCheckResults = (checks: unknown) => Object.values({ ...(checks as object) }).every(isCheckResult);

    test("answers probes in one shape", async () => {
      const healthz = await ask("/healthz");
      expect(healthz).toMatchObject({
        status: 200,
        type: "application/json; charset=utf-8",
        body: { status: "ok", name: program, version: expect.any(String), uptimeSeconds: expect.any(Number) },
      });
      expect(Object.keys(healthz.body)).toEqual(["status", "name", "version", "uptimeSeconds"]);
      const livez = await ask("/livez");
      expect(livez.status).toBe(200);
      expect(Object.keys(livez.body)).toEqual(["status", "checks", "dependencies"]);
      expect(livez.body.status).toBe("ok");
      const readyz = await ask("/readyz");
      expect(Object.keys(readyz.body)).toEqual(["status", "checks"]);
      expect([200, 503]).toContain(readyz.status);
      expect(readyz.body.status).toBe(readyz.status === 200 ? "ready" : "not ready");
      for (const each of [livez.body["checks"], livez.body["dependencies"], readyz.body["checks"]])
        expect(isCheckResults(each)).toBe(true);
    });

    test("names its metrics by its prefix, and its README tells of each", async () => {
      const text = await (await fetch(`http://${health}/metrics`)).text();
      const names = [...text.matchAll(/^# TYPE (\S+)/gmu)].map(([, name = ""]) => name);
      const mine = names.filter((name) => !commonMetrics.test(name));
      expect(mine.filter((name) => !name.startsWith(metrics))).toEqual([]);
      const readme = await readFile(join(repository, "apps", app, "README.md"), "utf8");
      expect(mine.filter((name) => !readme.includes(name))).toEqual([]);
    });

    test("logs JSON lines with level, time, app and message", () => {
      expect(service.lines.length).toBeGreaterThan(0);
      for (const line of service.lines) {
        expect(line).toMatchObject({
          level: expect.stringMatching(/^(info|warn|error)$/u),
          app: program,
          msg: expect.any(String),
        });
        expect(new Date(line.time).toISOString()).toBe(line.time);
      }
      expect(service.lines.filter(({ msg }) => msg === "settings")).toHaveLength(1);
    });

    test("ends with 0 on SIGTERM, and says nothing on stderr", async () => {
      service.kill("SIGTERM");
      expect(await service.ended).toBe(0);
      expect(service.errors).toBe("");
    });
  });

  test("has a README with the common headings in the common order", async () => {
    const text = await readFile(join(repository, "apps", app, "README.md"), "utf8");
    const there = [...text.replaceAll(/^```[^]*?^```/gmu, "").matchAll(/^## (.+)$/gmu)].map(
      ([, name]) => name,
    );
    expect(there.filter((name) => headings.includes(name ?? ""))).toEqual(headings);
    expect(there.slice(0, 2)).toEqual(headings.slice(0, 2));
    const from = there.indexOf(headings[2]);
    expect(there.slice(from, from + 4)).toEqual(headings.slice(2));
  });
});

function isCheckResult(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { ok, detail, ...rest }: Partial<Record<string, unknown>> = { ...value };
  return typeof ok === "boolean" && typeof detail === "string" && Object.keys(rest).length === 0;
}
