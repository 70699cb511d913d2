import { makeTorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import {
  buildQbittorrentImage,
  buildValkeyImage,
  type ComposeEngine,
  isBakeMissing,
  isComposeMissing,
  type RunningCompose,
  startCompose,
} from "@qbit-sidecars/testing/containers";
import { chmod, chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { buildAppImage, planImages, repository } from "./app-images.ts";

// The first time, a Debian system with Docker Compose is downloaded.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const login = { username: "admin", password: "a password of one's own" };
const key = "0123456789abcdef";
const made = makeTorrent({ version: "v1", name: "Film.1080p", files: [{ path: "film.mkv", size: 20_000 }] });
const rules = `
rules:
  - name: films
    context: finished
    conditions: [{ field: info.name, operator: contains, value: 1080p }]
    actions: [{ type: add_tag, params: { tag: film } }]
`;
const isLacking = (await isComposeMissing()) || (await isBakeMissing(repository));

/** The three of qbt-rules' plan: "Minimal: qbt-rules server only", "Full-stack … + secrets", "With Redis". */
describe.skipIf(isLacking)("the Compose files of rules-server's README, in Docker Compose", () => {
  const closers = new AsyncDisposableStack();
  let compose: ComposeEngine;
  let files: readonly string[];

  beforeAll(async () => {
    compose = closers.use(await startCompose());
    const plan = await planImages("latest");
    for (const app of ["rules-server", "rules-worker"]) await buildAppImage(compose.engine, plan[app]);
    await buildQbittorrentImage(compose.engine, { tag: "lscr.io/linuxserver/qbittorrent:latest", login });
    await buildValkeyImage(compose.engine, { tag: "docker.io/valkey/valkey:8" });
    const readme = await readFile(join(repository, "apps/rules-server/README.md"), "utf8");
    files = [...readme.matchAll(/^```yaml\n(# compose\.yaml\n[^]*?)^```$/gmu)].map(([, yaml = ""]) => yaml);
  });
  afterAll(async () => await closers.disposeAsync());

  async function up(nth: number) {
    const folder = closers.use(await tempDir("qbit-sidecars-rules-"));
    const file = join(folder.path, "compose.yaml");
    await writeFile(file, files[nth] ?? "");
    for (const name of ["secrets", "config", "downloads"]) await mkdir(join(folder.path, name));
    await writeFile(join(folder.path, "config/rules.yml"), rules, { mode: 0o444 });
    for (const [name, secret] of Object.entries({ rules_key: key, qbit_pass: login.password }))
      await writeFile(join(folder.path, `secrets/${name}.txt`), `${secret}\n`, { mode: 0o444 });
    await chmod(folder.path, 0o755);
    await chown(join(folder.path, "config"), 65_532, 65_532);
    return await compose.up({ folder: folder.path, files: [file] });
  }

  test("are three", () => expect(files).toHaveLength(3));

  test("the server alone answers, waits for its qBittorrent, and keeps its jobs over a restart", async () => {
    await using stack = await up(0);
    const ask = api(stack, "qbt-rules", "put-32-random-hex-digits-here");
    await waitFor(async () => (await ask("GET", "/livez")).status === 200, {
      what: "it to live",
      ...patience,
    });
    const { body } = await ask("POST", `/api/execute?context=finished&hash=${made.torrentId}`);
    expect(body).toMatchObject({ status: "pending", context: "finished" });
    await stack.restart("qbt-rules");
    await waitFor(async () => (await ask("GET", "/livez")).status === 200, {
      what: "it to live",
      ...patience,
    });
    expect((await ask("GET", `/api/jobs/${body.job_id}`)).body).toMatchObject({
      job_id: body.job_id,
      status: expect.stringMatching(/pending|processing/),
    });
    const { status, body: health } = await ask("GET", "/api/health");
    expect({ status, health }).toMatchObject({
      status: 503,
      health: { errors: [expect.stringMatching(/^Cannot connect to qBittorrent/)] },
    });
  });

  test.each([
    { nth: 1, what: "with qBittorrent and secrets", mode: "embedded", store: [] },
    { nth: 2, what: "with Valkey and a worker", mode: "remote", store: ["valkey"] },
  ])(
    "$what: a hook from qBittorrent's container reaches the server in another, and data survives a restart",
    async ({ nth, mode, store }) => {
      await using stack = await up(nth);
      await reaches(stack, { mode, store }).catch(async (cause: unknown) => {
        throw new Error(await stack.output(), { cause });
      });
      const codes = Object.entries(await stack.stop()).filter(([service]) => service.includes("rules"));
      expect(new Set(codes.map(([, code]) => code))).toEqual(new Set([0]));
    },
  );
});

const patience = { timeoutMs: 120_000 };

async function reaches(stack: RunningCompose, { mode, store }: { mode: string; store: readonly string[] }) {
  const ask = api(stack, "qbittorrent", key);
  const isHealthy = async () => (await ask("GET", "/api/health")).body.status === "healthy";
  await waitFor(isHealthy, { what: "queue, worker, rules and qBittorrent to be there", ...patience });
  expect((await ask("GET", "/api/health")).body.worker.mode).toBe(mode);
  expect(await stack.exec("qbt-rules", ["/nodejs/bin/node", "-e", addTorrent])).toMatchObject({ code: 0 });
  const { body: job } = await ask("POST", `/api/execute?context=finished&hash=${made.torrentId}`);
  const jobNow = async () => (await ask("GET", `/api/jobs/${job.job_id}`)).body;
  const isOver = async () => (await jobNow()).status === "completed";
  await waitFor(isOver, { what: "the job to be done", ...patience });
  const done = await jobNow();
  expect(done.result).toMatchObject({ rules_matched: 1, actions_executed: 1, torrent_name: "Film.1080p" });
  const { body: list } = await stack.fetch("qbittorrent", "http://localhost:8080/api/v2/torrents/info");
  expect(JSON.parse(list)).toMatchObject([{ hash: made.torrentId, tags: "film" }]);
  await stack.restart("qbt-rules", ...store);
  await waitFor(isHealthy, { what: "all to be there again", ...patience });
  expect(await jobNow()).toEqual(done);
  const told = await stack.exec("qbt-rules", ["qbt-rules", "--list-jobs", "--json"]);
  expect(told).toMatchObject({ code: 0 });
  expect(JSON.parse(told.output).jobs).toMatchObject([{ job_id: job.job_id, status: "completed" }]);
}

/** The API as another container asks it. */
function api(stack: RunningCompose, from: string, apiKey: string) {
  return async (method: string, path: string) => {
    const url = `http://qbt-rules:5000${path}${path.includes("?") ? "&" : "?"}key=${apiKey}`;
    const { status, body } = await stack.fetch(from, url, { method });
    // oxlint-disable-next-line typescript/no-explicit-any -- what the API answers, for tests to look into
    const parsed: any = body.startsWith("{") ? JSON.parse(body) : undefined;
    return { status, body: parsed };
  };
}

const addTorrent = `(async () => {
  const at = "http://qbittorrent:8080/api/v2/";
  const logged = await fetch(at + "auth/login", { method: "POST", body: new URLSearchParams(${JSON.stringify(login)}) });
  const form = new FormData();
  form.set("torrents", new Blob([Buffer.from("${Buffer.from(made.torrent).toString("base64")}", "base64")]), "a.torrent");
  form.set("stopped", "true");
  const cookie = (logged.headers.getSetCookie()[0] ?? "").split(";")[0];
  const added = await fetch(at + "torrents/add", { method: "POST", body: form, headers: { cookie } });
  if (!added.ok) throw new Error(logged.status + " " + added.status + " " + (await added.text()));
})()`;
