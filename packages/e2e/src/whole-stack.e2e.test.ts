import { tempDir, waitFor } from "@qbit-sidecars/testing";
import {
  buildQbittorrentImage,
  buildValkeyImage,
  type ContainerEngine,
  isBakeMissing,
  isComposeMissing,
  type RunningCompose,
  startCompose,
} from "@qbit-sidecars/testing/containers";
import { chmod, chown, copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { appNames, buildAppImage, planImages, repository } from "./app-images.ts";

// The first time, a Debian system with Docker Compose is downloaded.
vi.setConfig({ testTimeout: 600_000 });

const login = { username: "admin", password: "a password of one's own" };
const stackFile = join(repository, "docs/compose.yaml");

/**
 * What is otherwise than in docs/compose.yaml: no VPN is at hand, so gluetun is what its neighbours see of it, somebody
 * who writes a port into the file that they share.
 */
const standIns = stringify({
  services: {
    gluetun: {
      entrypoint: ["/nodejs/bin/node", "-e"],
      command: ["fs.writeFileSync('/tmp/gluetun/forwarded_port', '43210'); setInterval(() => {}, 1e9)"],
      user: "0:0",
    },
    // linuxserver's image makes this of WEBUI_PORT.
    "qbittorrent-archive": { environment: { QBT_WEBUI_PORT: "8081" } },
  },
}).replace("    entrypoint", "    devices: !reset []\n    entrypoint");

test.skipIf((await isComposeMissing()) || (await isBakeMissing(repository)))(
  "the whole stack of docs/compose.yaml, prepared as docs/compose.md says, starts in Docker Compose and works together",
  async () => {
    await using folder = await tempDir("qbit-sidecars-stack-");
    await using compose = await startCompose();
    await haveImages(compose.engine);
    await prepare(folder.path);
    const files = [stackFile, join(folder.path, "stand-ins.yaml")];
    await using stack = await compose.up({ folder: folder.path, files });
    await worksTogether(stack).catch(async (cause: unknown) => {
      throw new Error(await stack.output(), { cause });
    });
    const codes = Object.entries(await stack.stop()).filter(([service]) => appNames.includes(service));
    expect(Object.fromEntries(codes)).toEqual(Object.fromEntries(running.map((app) => [app, 0])));
  },
);

/** pia-forwarder is in a profile of its own, in the place of port-sync. */
const running = appNames.filter((app) => app !== "pia-forwarder");

async function worksTogether(stack: RunningCompose): Promise<void> {
  const within = { timeoutMs: 120_000 };
  const json = async (service: string, url: string) => JSON.parse((await stack.fetch(service, url)).body);
  const listens = async () =>
    (await json("gluetun", "http://localhost:8080/api/v2/app/preferences")).listen_port === 43_210;
  await waitFor(listens, { what: "qBittorrent on the forwarded port", ...within });
  const isHooked = async () => {
    const preferences = await json("gluetun", "http://localhost:8080/api/v2/app/preferences");
    return preferences.autorun_on_torrent_added_program.includes("http://localhost:9090/track");
  };
  await waitFor(isHooked, { what: "qBittorrent's hooks", ...within });
  // Where docs/compose.md sends people for its password, and qbsync-destination.
  const archive = async () =>
    await stack.fetch("qbittorrent-archive", "http://localhost:8081/api/v2/app/version");
  await waitFor(async () => (await archive()).status === 200, { what: "the second qBittorrent", ...within });
  const isHealthy = async () =>
    (await json("rules-server", "http://localhost:5000/api/health")).status === "healthy";
  await waitFor(isHealthy, { what: "rules-server healthy: queue, rules, qBittorrent", ...within });
  const job = await stack.exec("rules-server", ["qbt-rules", "--context", "scheduled", "--wait", "--json"]);
  expect(job).toMatchObject({ code: 0 });
  expect(JSON.parse(job.output)).toMatchObject({ status: "completed" });
  const connected = async () => (await stack.output()).includes("connected to qbsync-destination");
  await waitFor(connected, { what: "qbsync-source connected to qbsync-destination", ...within });
  for (const app of running) {
    const healthcheck = () => stack.exec(app, ["/nodejs/bin/node", "/app/main.js", "healthcheck"]);
    await expect
      .poll(healthcheck, { message: `${app}'s healthcheck`, timeout: within.timeoutMs })
      .toEqual({ code: 0, output: "" });
  }
  const states = await stack.states();
  expect(Object.entries(states).filter(([, state]) => state !== "running")).toEqual([]);
  expect(Object.keys(states)).toEqual(expect.arrayContaining([...running]));
}

/** Ours as they are released; qBittorrent and Valkey are real ones under the names of those that people use. */
async function haveImages(engine: ContainerEngine): Promise<void> {
  const plan = await planImages("latest");
  for (const app of running) await buildAppImage(engine, plan[app]);
  await engine.command(["tag", await engine.baseImage(), "docker.io/qmcgaw/gluetun:v3"]);
  await buildQbittorrentImage(engine, { tag: "lscr.io/linuxserver/qbittorrent:latest", login });
  await buildValkeyImage(engine, { tag: "docker.io/valkey/valkey:8" });
}

/** "Before the first start" of docs/compose.md. */
async function prepare(folder: string): Promise<void> {
  await writeFile(join(folder, "stand-ins.yaml"), standIns);
  for (const name of ["secrets", "rules", "downloads", "archive"]) await mkdir(join(folder, name));
  await copyFile(join(repository, "packages/rules/rules.default.yml"), join(folder, "rules/rules.yml"));
  const secrets = {
    wireguard_key: "unused",
    qbit_pass: login.password,
    rules_key: "0123abcd",
    qbsync_token: "0123456789abcdef0123456789abcdef",
    pia_password: "unused",
  };
  for (const [name, secret] of Object.entries(secrets)) {
    await writeFile(join(folder, `secrets/${name}.txt`), `${secret}\n`, { mode: 0o444 });
  }
  await chmod(folder, 0o755);
  await chmod(join(folder, "rules/rules.yml"), 0o444);
  await chown(join(folder, "rules"), 65_532, 65_532);
  await chown(join(folder, "archive"), 1000, 1000);
}
