import { type FakeQbittorrent, freePort, startFakeQbittorrent, waitFor } from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ServerUnderTest, startServerUnderTest } from "../server-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });

const rules = `
rules:
  - name: tag films
    context: [added, scheduled]
    conditions: [{ field: info.name, operator: contains, value: Film }]
    actions: [{ type: add_tag, params: { tag: film } }]
`;
const film = "a".repeat(40);

let fake: FakeQbittorrent;
let server: ServerUnderTest;

beforeAll(async () => {
  fake = await startFakeQbittorrent({ torrents: [{ name: "Film", hash: film }, { name: "Other" }] });
  server = await startServerUnderTest({ qbittorrent: fake.url, rules });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await fake[Symbol.asyncDispose]();
});

describe("a job", () => {
  test("is queued, and waited for with --wait", async () => {
    const queued = await server.cli(["--context", "nothing"]);
    expect(queued).toMatchObject({ code: 0, stderr: "" });
    expect(queued.stdout).toMatch(/✓ Job queued: [0-9a-f-]{36}\n {2}Status: pending\n {2}Queued at: 20/);
    const done = await server.cli(["--context", "added", "--hash", film, "--wait"]);
    expect(done).toMatchObject({ code: 0, stderr: "" });
    expect(done.stdout).toContain(
      "✓ Job completed successfully\n  Torrents processed: 1\n  Rules matched: 1\n  Actions executed: 1\n",
    );
    expect(done.stdout).toContain('add_tag Film: [] → ["film"] (tag films)');
  });

  test("--dry-run really is one, and says what would be done", async () => {
    const hash = fake.addTorrent({ name: "Film 2" });
    const { stdout, code } = await server.cli(["--context", "added", "--hash", hash, "--wait", "--dry-run"]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining('would add_tag Film 2: [] → ["film"] (tag films)'),
    ]);
    expect(fake.torrents.find(({ name }) => name === "Film 2")?.["tags"]).toBe("");
  });

  test("--trace keeps every condition's answer", async () => {
    const args = ["--context", "added", "--hash", film, "--wait", "--trace", "--json"];
    const { details } = JSON.parse((await server.cli(args)).stdout);
    expect(details.trace[0].rules[0]).toMatchObject({ rule: "tag films", answer: "yes" });
  });

  test("that fails is exit code 1, with the reason", async () => {
    await using broken = await startServerUnderTest({ qbittorrent: fake.url, rules: "rules: [{ name: x }]" });
    const { code, stdout } = await broken.cli(["--context", "added", "--wait"]);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/✗ Job failed: [0-9a-f-]+\n.*the rule has no/)]);
  });

  test("that takes longer than --wait-timeout is exit code 1", async () => {
    fake.faults.next("torrents/info", { kind: "latency", ms: 2500 });
    const { code, stderr } = await server.cli(["--context", "slow", "--wait", "--wait-timeout", "1s"]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/is still (pending|processing) after 1 s/)]);
    await waitFor(async () => (await server.get("/api/health")).body.queue.processing_jobs === 0, {
      what: "its end",
    });
  });

  test("with a hash that is none is exit code 1, with the server's reason", async () => {
    const { code, stderr } = await server.cli(["--hash", "xyz"]);
    expect([code, stderr]).toEqual([1, 'qbt-rules: Invalid hash: "xyz" is not an infohash of hex digits\n']);
  });

  test("that equals a waiting one is that one, and says so", async () => {
    const { body } = await server.post("/api/execute?context=twice&delay=600");
    const { stdout } = await server.cli(["--context", "twice"]);
    expect(stdout).toContain(`✓ Job queued: ${body.job_id} (an equal one was waiting already)`);
    await server.cli(["--cancel-job", body.job_id]);
  });

  test("answers a script in JSON also where it is refused, or takes too long", async () => {
    const refused = await server.cli(["--hash", "xyz", "--json"]);
    expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([1, { error: "Bad Request" }]);
    const queued = await server.cli(["--context", "scripted", "--json"]);
    expect([queued.code, JSON.parse(queued.stdout)]).toMatchObject([0, { context: "scripted" }]);
    fake.faults.next("torrents/info", { kind: "latency", ms: 1500 });
    const slow = await server.cli(["--context", "slow", "--wait", "--wait-timeout", "1s", "--json"]);
    expect([slow.code, JSON.parse(slow.stdout)]).toMatchObject([1, { context: "slow", completed_at: null }]);
    await waitFor(async () => (await server.get("/api/health")).body.queue.processing_jobs === 0, {
      what: "its end",
    });
  });

  test("shows on a terminal what it waits for", async () => {
    let told = "";
    const terminal = { isTTY: true, write: (text: string) => void (told += text) };
    const unknown = "e".repeat(40);
    const args = ["--context", "added", "--hash", unknown, "--wait", "--wait-timeout", "2s"];
    const { code } = await server.cli(args, {}, terminal);
    expect(code).toBe(1);
    expect(told).toContain("  … pending: qBittorrent does not know it (yet)\n");
    expect(told).toMatch(/is still pending after 2 s\n$/);
  });
});

describe("jobs", () => {
  test("are listed, for people and for scripts", async () => {
    await server.done("context=listed");
    const { stdout, code } = await server.cli(["--list-jobs", "--context", "listed"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^Job ID +Status +Context +Created\n[0-9a-f-]{36} +completed +listed +20.*\n1 of 1 jobs\n$/,
    );
    const json = await server.cli(["--list-jobs", "--status-filter", "failed", "--limit", "5", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({ total: 0, limit: 5, jobs: [] });
    expect((await server.cli(["--list-jobs", "--context", "none"])).stdout).toBe("No jobs found\n");
  });

  test("are shown one by one; an unknown one is exit code 1", async () => {
    const { job_id: id } = await server.done(`context=added&hash=${film}`);
    const { stdout, code } = await server.cli(["--job-status", id]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`job_id: +${id}\nstatus: +completed`)),
    ]);
    const unknown = await server.cli(["--job-status", "nothing"]);
    expect(unknown).toMatchObject({ code: 1, stdout: "", stderr: "qbt-rules: Job not found: nothing\n" });
  });

  test("are cancelled while they are pending", async () => {
    const { body } = await server.post("/api/execute?context=cancel&delay=600");
    const cancelled = await server.cli(["--cancel-job", body.job_id]);
    expect(cancelled).toMatchObject({ code: 0, stdout: `✓ Job cancelled: ${body.job_id}\n` });
    const again = await server.cli(["--cancel-job", body.job_id]);
    expect(again).toMatchObject({ code: 1, stderr: "qbt-rules: Cannot cancel job in status: cancelled\n" });
  });

  test("are counted", async () => {
    const { stdout, code } = await server.cli(["--stats"]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/Jobs total: +\d+\n[^]*Queue: +sqlite[^]*Uptime: +\d+s/),
    ]);
    expect(JSON.parse((await server.cli(["--stats", "--json"])).stdout)).toHaveProperty("jobs.total");
  });
});

describe("the server", () => {
  test("is found inside its own container by its own port and key", async () => {
    const { code } = await server.cli(["--stats"], { QBT_RULES_CLIENT_SERVER_URL: "" });
    expect(code).toBe(0);
  });

  test("that is not there is exit code 3", async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, stderr } = await server.cli(["--stats", "--client-server-url", url]);
    expect([code, stderr]).toEqual([3, expect.stringContaining(`asking the server at ${url}: `)]);
    expect(stderr).toContain("does qbt-rules --serve run there? QBT_RULES_CLIENT_SERVER_URL");
  });

  test("that refuses the key is exit code 3, and the key is not shown", async () => {
    const { code, stderr } = await server.cli(["--stats", "--client-api-key", "wrong-key"]);
    expect([code, stderr]).toEqual([3, expect.stringContaining("refuses the key; QBT_RULES_CLIENT_API_KEY")]);
    expect(stderr).not.toContain("wrong-key");
  });

  test("that is somebody else's is told apart", async () => {
    const other = createServer((_, response) => response.end("<html>")).listen(0, "127.0.0.1");
    await waitFor(() => other.listening, { what: "it to listen" });
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { code, stderr } = await server.cli(["--stats", "--client-server-url", `http://127.0.0.1:${port}`]);
    other.close();
    expect([code, stderr]).toEqual([3, expect.stringContaining("is not qbt-rules")]);
  });

  test.each([
    ["fails", 500, '{"message":"An unexpected error occurred"}'],
    ["answers no object", 200, "[]"],
  ])("that %s is exit code 3", async (_, status, body) => {
    const other = createServer((_request, response) => response.writeHead(status).end(body));
    other.listen(0, "127.0.0.1");
    await waitFor(() => other.listening, { what: "it to listen" });
    const address = other.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { code, stderr } = await server.cli(["--stats", "--client-server-url", `http://127.0.0.1:${port}`]);
    other.close();
    const reason = status === 500 ? "fails: An unexpected error occurred" : "is not qbt-rules";
    expect([code, stderr]).toEqual([3, expect.stringContaining(reason)]);
  });

  test("is asked for its health by the address of its settings", async () => {
    expect(await server.cli(["healthcheck", "--log-level", "info"])).toMatchObject({ code: 0, stderr: "" });
    const { code, stderr } = await server.cli(["healthcheck", "--server-port", String(await freePort())]);
    expect([code, stderr]).toEqual([1, expect.stringContaining("qbt-rules is not healthy")]);
  });
});

describe("the rules file", () => {
  test("is checked with --validate, each mistake with its place", async () => {
    const right = await server.cli(["--validate"]);
    expect(right).toMatchObject({ code: 0, stdout: `${server.rulesFile}: 1 rules, no mistakes\n` });
    const path = join(server.folder.path, "wrong.yml");
    await writeFile(
      path,
      "rules:\n  - name: x\n    conditions: [{ field: info.nmae, operator: '==', value: 1 }]\n",
    );
    const wrong = await server.cli(["--validate", "--rules-file", path]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining(`${path}:3:`)]);
  });

  test("is listed with --list-rules", async () => {
    const { stdout } = await server.cli(["--list-rules"]);
    expect(stdout).toBe("on   tag films  [added, scheduled]  add_tag\n");
    const path = join(server.folder.path, "more.yml");
    await writeFile(
      path,
      "rules:\n  - { name: y, enabled: false, conditions: {}, actions: [{ type: stop }] }\n",
    );
    const more = await server.cli(["--list-rules", "--rules-file", path]);
    expect(more.stdout).toBe("off  y  [every context]  stop\n");
    const json = await server.cli(["--list-rules", "--rules-file", path, "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: true,
      rules: [{ name: "y", line: 2, contexts: [] }],
    });
  });

  test("that is nowhere is exit code 1", async () => {
    const { code, stderr } = await server.cli(["--validate", "--rules-file", "/nowhere.yml"]);
    expect([code, stderr]).toEqual([1, "/nowhere.yml: the file does not exist\n"]);
  });
});

test("faults in flags are exit code 2", async () => {
  const { code, stderr } = await server.cli(["--contxt", "x"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("did you mean --context?")]);
});

describe("install-hooks", () => {
  test("leaves a command of somebody else, and says what to add to it, without the key", async () => {
    await using mine = await startFakeQbittorrent({
      preferences: { autorun_enabled: true, autorun_program: "/usr/bin/mine %N" },
    });
    await using other = await startServerUnderTest({ qbittorrent: mine.url, rules });
    const { code, stdout } = await other.cli([
      "install-hooks",
      "--client-server-url",
      "http://qbt-rules:5000",
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain("on torrent added (context added): installed\n");
    expect(stdout).toContain(
      'on torrent finished (context finished): left: another command stands there\n  add to it: curl -sS -m 10 --retry 5 --retry-connrefused -X POST -H "X-API-Key: KEY" "http://qbt-rules:5000/api/execute?context=finished&hash=%K"\n',
    );
  });

  test("takes a command that calls this server and another program as it is", async () => {
    const shared = `sh -c "curl 'http://localhost:9090/done?hash=%I'; curl -X POST -H 'X-API-Key: K' 'http://qbt-rules:5000/api/execute?context=finished&hash=%K'"`;
    const old = 'curl -X POST -H "X-API-Key: old" "http://old:5000/api/execute?context=added&hash=%I"';
    await using mine = await startFakeQbittorrent({
      preferences: {
        autorun_enabled: true,
        autorun_program: shared,
        autorun_on_torrent_added_enabled: true,
        autorun_on_torrent_added_program: old,
      },
    });
    await using other = await startServerUnderTest({ qbittorrent: mine.url, rules });
    const { code, stdout } = await other.cli(["install-hooks"]);
    expect([code, stdout]).toEqual([
      0,
      "on torrent added (context added): installed\non torrent finished (context finished): there already\n",
    ]);
    expect(await (await fetch(`${mine.url}/api/v2/app/preferences`)).json()).toMatchObject({
      autorun_program: shared,
      autorun_on_torrent_added_program: expect.stringContaining("--retry-connrefused"),
    });
  });
});
