import { freePort, startFakeQbittorrent, tempDir, waitFor } from "@qbit-sidecars/testing";
import { readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { startServerUnderTest, testKey } from "./server-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });

const rules =
  "rules: [{ name: tag, conditions: [{ field: info.size, operator: '>=', value: 0 }], actions: [{ type: add_tag, params: { tag: x } }] }]";

async function world(env: Record<string, string> = {}, { rules: text = rules }: { rules?: string } = {}) {
  const fake = await startFakeQbittorrent({ torrents: 3 });
  const server = await startServerUnderTest({ qbittorrent: fake.url, rules: text, env });
  return {
    fake,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

describe("rules", () => {
  test("a broken file on reload leaves the old rules in force, says so, and heals", async () => {
    await using at = await world();
    await writeFile(at.server.rulesFile, "rules: [{ name: x }]");
    const { body } = await at.server.post("/api/rules/reload");
    expect(body.status).toBe("stale");
    expect(body.problems[0]).toMatchObject({ severity: "error", line: 1, rule: "x" });
    const health = await at.server.get("/api/health");
    expect([health.status, health.body.rules.status]).toEqual([200, "stale"]);
    expect(health.body.warnings.join()).toContain("the rules before it are in force");
    expect((await at.server.done("context=a")).result.actions_executed).toBe(3);
    await writeFile(at.server.rulesFile, rules);
    expect((await at.server.get("/api/health")).body.rules.status).toBe("ok");
  });

  test("what is wrong with the rules is told to nobody without a key: names and patterns are private", async () => {
    await using at = await world();
    const secret = "rules: [{ name: my-private-tracker, conditions: [{ field: nonsense }] }]";
    await writeFile(at.server.rulesFile, secret);
    const healthOf = async (headers: Record<string, string>) => {
      const response = await fetch(`${at.server.url}/api/health`, { headers });
      return { status: response.status, text: await response.text() };
    };
    const known = await healthOf({ "x-api-key": testKey });
    expect(JSON.parse(known.text).rules.problems[0]).toMatchObject({ severity: "error", line: 1 });
    for (const headers of [{}, { "x-api-key": "wrong" }]) {
      const { status, text } = await healthOf(headers);
      expect([status, JSON.parse(text).rules.status]).toEqual([200, "stale"]);
      expect(JSON.parse(text).warnings[0]).toContain("The rules file is wrong");
      expect(text).not.toMatch(/my-private-tracker|nonsense|rules\.yml/);
    }
    // Probes that ask without a key try none.
    const refusals = at.server.lines.filter(({ msg }) => msg.includes("no valid API key"));
    expect(refusals).toMatchObject([{ refused: 1 }]);
  });

  test("without a file the server runs, is unhealthy with the reason, and the file is enough to heal it", async () => {
    await using at = await world();
    await rm(at.server.rulesFile);
    await using folder = await tempDir();
    await using fresh = await startServerUnderTest({ qbittorrent: at.fake.url, folder });
    const { status, body } = await fresh.get("/api/health");
    expect([status, body.errors[0]]).toEqual([
      503,
      expect.stringContaining("rules.yml:1:1: the file does not exist"),
    ]);
    expect((await fresh.done("context=a")).error).toContain("does not exist");
    await writeFile(fresh.rulesFile, rules);
    expect((await fresh.get("/api/health")).status).toBe(200);
    expect((await fresh.done("context=a")).status).toBe("completed");
  });
});

describe("clients", () => {
  test("a body of 500 MB is refused as soon as it is announced", async () => {
    await using at = await world();
    const { port } = new URL(at.server.url);
    const socket = connect(Number(port), "127.0.0.1");
    const answer = new Promise<string>((resolve) => socket.once("data", (data) => resolve(String(data))));
    socket.write(
      `POST /api/execute HTTP/1.1\r\nHost: x\r\nX-API-Key: ${testKey}\r\nContent-Type: application/json\r\nContent-Length: 524288000\r\n\r\n{`,
    );
    await expect(answer).resolves.toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
    const chunked = await at.server.post("/api/execute", {
      body: "x".repeat(100_000),
      headers: { "content-type": "application/json" },
    });
    expect([chunked.status, chunked.body.error]).toEqual([413, "Payload Too Large"]);
  });

  test("those that send nearly nothing are hung up on, and do not keep others out", async () => {
    await using at = await world();
    const { port } = new URL(at.server.url);
    let closed = 0;
    const sockets = Array.from({ length: 50 }, () => {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => {});
      socket.resume();
      socket.on("close", () => {
        closed += 1;
      });
      socket.write("POST /api/execute HTTP/1.1\r\nHost: x\r\n");
      return socket;
    });
    expect((await at.server.get("/api/stats")).status).toBe(200);
    await waitFor(() => closed === sockets.length, { what: "all to be hung up on", timeoutMs: 30_000 });
  });

  test("ten thousand wrong keys are refused, and the right one is still let in", async () => {
    await using at = await world();
    for (let batch = 0; batch < 100; batch += 1) {
      const tries = Array.from({ length: 100 }, async (_, each) => {
        const headers = { "x-api-key": `${batch * 100 + each}` };
        return (await fetch(`${at.server.url}/api/stats`, { headers })).status;
      });
      expect(new Set(await Promise.all(tries))).toEqual(new Set([401]));
    }
    expect((await at.server.get("/api/stats")).status).toBe(200);
    expect(at.server.lines.filter(({ level }) => level === "warn").length).toBeLessThan(10);
  });

  test("a key in a file is rotated without a restart", async () => {
    await using folder = await tempDir();
    const path = join(folder.path, "key");
    await writeFile(path, "old-key\n");
    await using at = await world({ QBT_RULES_SERVER_API_KEY: "", QBT_RULES_SERVER_API_KEY_FILE: path });
    const statusOf = async (key: string) =>
      (await fetch(`${at.server.url}/api/stats`, { headers: { "x-api-key": key } })).status;
    expect(await statusOf("old-key")).toBe(200);
    await writeFile(path, "new-key\n");
    await waitFor(async () => (await statusOf("new-key")) === 200, { what: "the new key to be taken" });
    expect(await statusOf("old-key")).toBe(401);
  });
});

describe("places", () => {
  test("a log file that cannot be written is a warning, and stdout goes on", async () => {
    await using at = await world({ QBT_RULES_LOG_FILE: "/proc/nowhere/qbt-rules.log" });
    expect(at.server.lines.find(({ level }) => level === "warn")?.msg).toContain(
      "/proc/nowhere/qbt-rules.log: ENOENT",
    );
    expect((await at.server.done("context=a")).status).toBe("completed");
    await waitFor(() => at.server.lines.some(({ msg }) => msg === "run done"), {
      what: "the run to be told",
    });
  });

  test("the log file has what stdout has", async () => {
    await using folder = await tempDir();
    const path = join(folder.path, "qbt-rules.log");
    await using at = await world({ QBT_RULES_LOG_FILE: path });
    await expect(readFile(path, "utf8")).resolves.toContain("API, page, health and metrics");
    expect(at.server.lines.length).toBeGreaterThan(0);
  });

  test("a database that is none is refused in words, with exit code 1", async () => {
    await using folder = await tempDir();
    await writeFile(
      join(folder.path, "qbt-rules.db"),
      "this is no database, but it is longer than a header".repeat(50),
    );
    await using fake = await startFakeQbittorrent();
    await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, folder });
    await expect(server.exited).resolves.toBe(1);
    expect(JSON.stringify(server.lines.at(-1))).toMatch(/database/);
  });

  test("a second server on the same file is refused in words", async () => {
    await using at = await world();
    await using second = await startServerUnderTest({ qbittorrent: at.fake.url, folder: at.server.folder });
    await expect(second.exited).resolves.toBe(1);
    expect(JSON.stringify(second.lines)).toMatch(/in use|another/);
    expect((await at.server.done("context=a")).status).toBe("completed");
  });
});

describe("the process", () => {
  test("SIGTERM ends it within the grace, with the job under way finished", async () => {
    await using folder = await tempDir();
    await using fake = await startFakeQbittorrent({ torrents: 3 });
    const server = await startServerUnderTest({ qbittorrent: fake.url, rules, folder });
    fake.faults.next("torrents/info", { kind: "latency", ms: 800 });
    const { job_id: id } = (await server.post("/api/execute?context=a")).body;
    await waitFor(async () => (await server.get(`/api/jobs/${id}`)).body.status === "processing", {
      what: "the run",
    });
    await expect(server.stop()).resolves.toBe(0);
    await using again = await startServerUnderTest({ qbittorrent: fake.url, folder });
    expect((await again.get(`/api/jobs/${id}`)).body).toMatchObject({ status: "completed", attempts: 1 });
  });

  test("a schedule runs its context; wrong ones keep the server from starting", async () => {
    await using at = await world({
      QBT_RULES_SCHEDULE_1_CRON: "* * * * * *",
      QBT_RULES_SCHEDULE_1_CONTEXT: "every-second",
    });
    await waitFor(
      async () => (await at.server.get("/api/jobs?context=every-second&status=completed")).body.total > 0,
      { what: "a scheduled job" },
    );
    const { code, stderr } = await at.server.cli(["--serve"], { QBT_RULES_SCHEDULE_1_CRON: "never" });
    expect([code, stderr]).toEqual([2, expect.stringContaining("QBT_RULES_SCHEDULE_1: cron")]);
  });

  test("versions name the commit and the day of the image; the seed's cross_seeding block is left alone", async () => {
    await using folder = await tempDir();
    await writeFile(
      join(folder.path, "config.yml"),
      "cross_seeding: { enabled: false, mode: webhook, trackers: [{ name: a }] }\nserver: { workers: 4 }\n",
    );
    await using fake = await startFakeQbittorrent();
    const env = { QBIT_SIDECARS_GIT_COMMIT: "abc123def456", QBIT_SIDECARS_BUILD_DATE: "2026-11-20" };
    await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, folder, env });
    expect((await server.get("/api/version")).body).toMatchObject({
      git_commit: "abc123def456",
      build_date: "2026-11-20",
    });
    expect(server.lines.map(({ msg }) => msg).join()).toContain("QBT_RULES_SERVER_WORKERS is more than 1");
  });
});

test("a job about one torrent waits for the settle delay, or for its own; a job about all does not", async () => {
  await using at = await world({ QBT_RULES_SETTLE_DELAY: "10m" });
  const waits = async (query: string) => (await at.server.post(`/api/execute?${query}`)).body.waits_until;
  const inMs = Date.parse(await waits("hash=a1")) - Date.now();
  expect(inMs).toBeGreaterThan(9 * 60_000);
  expect(Date.parse(await waits("hash=b1&delay=60")) - Date.now()).toBeLessThan(61_000);
  expect(await waits("context=all")).toBeNull();
});

test("probes and metrics have a listener of their own where HEALTH_ADDR says", async () => {
  const port = await freePort();
  await using _at = await world({ HEALTH_ADDR: `127.0.0.1:${port}` });
  const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(await metrics.text()).toContain('qbt_rules_jobs{status="pending"} 0');
  expect((await fetch(`http://127.0.0.1:${port}/api/stats`)).status).toBe(404);
});
