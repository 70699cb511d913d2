import {
  type FakeQbittorrent,
  isMissing,
  type RunningRedis,
  startFakeQbittorrent,
  startRedis,
  tempDir,
  waitFor,
} from "@qbit-sidecars/testing";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Answer, type ServerUnderTest, startServerUnderTest, testKey } from "./server-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });

/** The example of the seed, with the key `context` where it put it. */
const rules = `
rules:
  - name: "Auto-categorize HD content on add"
    enabled: true
    stop_on_match: true
    conditions:
      context: on_added
      all:
        - field: info.name
          operator: matches
          value: '(?i).*(1080p|2160p|4k).*'
    actions:
      - type: set_category
        params:
          category: "Movies-HD"
      - type: add_tag
        params:
          tag: "hd"
`;
/** The rest of the seed's example. */
const scheduledRules = `
  - name: "Cleanup old completed torrents"
    enabled: true
    conditions:
      context: scheduled  # Run with: qbt-rules --context scheduled
      all:
        - field: info.state
          operator: in
          value: ["uploading", "pausedUP", "stalledUP"]
        - field: info.completion_on
          operator: older_than
          value: "30 days"
        - field: info.ratio
          operator: ">="
          value: 2.0
    actions:
      - type: delete_torrent
        params:
          delete_files: false

  - name: "Force seed low-seeded content"
    enabled: true
    conditions:
      context: scheduled
      all:
        - field: info.num_complete
          operator: "<="
          value: 2
        - field: info.state
          operator: in
          value: ["pausedUP", "stalledUP"]
    actions:
      - type: force_start
`;
const film = "a".repeat(40);
const series = "b".repeat(40);
const v2 = `${"c".repeat(40)}${"0".repeat(24)}`;
const torrents = [
  { name: "Film.2026.1080p", hash: film },
  { name: "Series.S01E01", hash: series },
  { name: "V2.2160p", hash: "c".repeat(40) },
];

type Backend = {
  name: string;
  missing: boolean;
  start(): Promise<{ env: Record<string, string> } & AsyncDisposable>;
};

const backends: readonly Backend[] = [
  {
    name: "SQLite",
    missing: false,
    start: async () => ({ env: {}, [Symbol.asyncDispose]: async () => {} }),
  },
  {
    name: "Redis",
    missing: await isMissing("Redis"),
    async start() {
      const redis: RunningRedis = await startRedis({ appendOnly: true });
      return {
        env: { QBT_RULES_QUEUE_BACKEND: "redis", QBT_RULES_QUEUE_REDIS_URL: redis.url },
        [Symbol.asyncDispose]: async () => await redis[Symbol.asyncDispose](),
      };
    },
  },
];

for (const backend of backends) {
  describe.skipIf(backend.missing)(`the seed's API, its queue in ${backend.name}`, () => {
    let closers: AsyncDisposableStack;
    let fake: FakeQbittorrent;
    let server: ServerUnderTest;
    let validate: (method: string, path: string, answer: Answer) => string[];

    beforeAll(async () => {
      closers = new AsyncDisposableStack();
      fake = closers.use(await startFakeQbittorrent({ torrents }));
      const { env } = closers.use(await backend.start());
      server = closers.use(await startServerUnderTest({ qbittorrent: fake.url, rules, env }));
      validate = validator((await server.get("/api/openapi.json")).body);
    });
    afterAll(async () => await closers.disposeAsync());

    /** Asks, and holds the answer to the OpenAPI document. */
    const ask = async (method: string, path: string, init?: RequestInit): Promise<Answer> => {
      const answer = await server.ask(method, path, init);
      expect(validate(method, path, answer), `${method} ${path}: ${answer.text}`).toEqual([]);
      return answer;
    };

    test.each(examples)(
      "%s %s has every key of the seed's example, of the same type",
      async (method, path, example) => {
        const { job_id: id } = await server.done("context=example&dry_run=true");
        const { body } = await ask(method, path.replace("{id}", id));
        const unknown = method === "GET" && path.endsWith("version") ? ["$.build_date", "$.git_commit"] : [];
        const answered = shapeOf(body);
        const wanted = shapeOf(JSON.parse(example)).filter(
          (each) => !unknown.some((key) => each.startsWith(key)),
        );
        expect(answered).toEqual(expect.arrayContaining(wanted));
        for (const key of unknown) expect(answered.join("\n")).toContain(key);
      },
    );

    describe("POST /api/execute", () => {
      test("answers 202 with the job, which then does what the rules say", async () => {
        const { status, body } = await ask("POST", `/api/execute?context=on_added&hash=${film}`);
        expect(status).toBe(202);
        expect(body).toMatchObject({ status: "pending", context: "on_added", hash: film });
        expect(body.job_id).toMatch(/^[0-9a-f-]{36}$/);
        expect(body.queued_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
        const done = await server.over(body.job_id);
        expect(done).toMatchObject({
          status: "completed",
          error: null,
          result: { torrents_processed: 1, rules_matched: 1, actions_executed: 2 },
        });
        expect(fake.torrents.find(({ hash }) => hash === film)).toMatchObject({
          category: "Movies-HD",
          tags: "hd",
        });
      });

      test("takes its parameters from a form or a JSON body as well", async () => {
        const form = await ask("POST", "/api/execute", {
          body: new URLSearchParams({ context: "form", hash: series, dry_run: "true" }),
        });
        expect(form.body).toMatchObject({ context: "form", hash: series, dry_run: true });
        const json = await ask("POST", "/api/execute", {
          body: JSON.stringify({ context: "json", hash: series, trace: true }),
          headers: { "content-type": "application/json" },
        });
        expect(json.body).toMatchObject({ context: "json", trace: true });
      });

      test("answers with the job that stands when an equal one is pending", async () => {
        const query = `/api/execute?context=later&hash=${series}&delay=600`;
        const first = await ask("POST", query);
        const second = await ask("POST", query);
        expect(second.body).toMatchObject({ job_id: first.body.job_id, deduplicated: true });
        await ask("DELETE", `/api/jobs/${first.body.job_id}`);
      });

      test("a dry run changes nothing and tells what it would change", async () => {
        const job = await server.done(`context=on_added&hash=${v2}&dry_run=true&trace=true`);
        expect(job.result).toMatchObject({ actions_executed: 0, rules_matched: 1, dry_run: true });
        expect(job.details.entries).toMatchObject([
          { action: "set_category", after: "Movies-HD", result: "planned" },
          { action: "add_tag", result: "planned" },
        ]);
        expect(job.details.trace[0].rules[0].conditions.items).toBeDefined();
        expect(fake.torrents.find(({ name }) => name === "V2.2160p")).toMatchObject({ category: "" });
      });

      test("a v2 infohash of 64 digits, in any case, names the torrent", async () => {
        const job = await server.done(`context=on_added&hash=${v2.toUpperCase()}`);
        expect(job).toMatchObject({ hash: v2, result: { rules_matched: 1, actions_executed: 2 } });
      });

      test("the seed's own example hash is taken, and no torrent has it", async () => {
        const job = await server.done("context=scheduled&hash=abc123");
        expect(job).toMatchObject({ status: "completed", hash: "abc123", result: { torrents_processed: 0 } });
      });
    });

    describe("what cannot be meant is 400 with a reason, never 500", () => {
      test.each([
        ["POST", "/api/execute?hash=xyz", "Invalid hash"],
        ["POST", "/api/execute?hash=", "Invalid hash"],
        ["POST", "/api/execute?hash=-", "%K"],
        ["POST", `/api/execute?hash=${"a".repeat(65)}`, "Invalid hash"],
        ["POST", "/api/execute?hash=a&hash=b", "twice"],
        ["POST", "/api/execute?contxt=scheduled", "no parameter"],
        ["POST", `/api/execute?context=${"x".repeat(201)}`, "longer"],
        ["POST", "/api/execute?context=a%00b", "control character"],
        ["POST", "/api/execute?dry_run=perhaps", "dry_run is true or false"],
        ["POST", "/api/execute?dry_run", "dry_run is true or false"],
        ["POST", "/api/execute?dry_run=", "dry_run is true or false"],
        ["POST", "/api/execute?delay=-1", "delay"],
        ["POST", "/api/execute?constructor=x", "no parameter"],
        ["GET", "/api/jobs?status=zzz", "Invalid status"],
        ["GET", "/api/jobs?limit=abc", "limit"],
        ["GET", "/api/jobs?limit=-5", "limit"],
        ["GET", "/api/jobs?limit=0", "limit"],
        ["GET", "/api/jobs?offset=1.5", "offset"],
        ["GET", "/api/jobs?offset=99999999999999999999", "offset"],
      ])("%s %s", async (method, path, reason) => {
        const { status, body } = await ask(method, path);
        expect([status, body.error]).toEqual([400, "Bad Request"]);
        expect(body.message).toContain(reason);
      });

      test.each([
        ["{", "application/json", 400],
        ["[1]", "application/json", 400],
        ['{"hash": {"a": 1}}', "application/json", 400],
        ['{"__proto__": {"hash": "a"}}', "application/json", 400],
        ["<x/>", "text/xml", 415],
      ])("the body %s as %s", async (body, type, expected) => {
        const { status, text } = await server.post("/api/execute", {
          body,
          headers: { "content-type": type },
        });
        expect([status, text.includes('"message"')]).toEqual([expected, true]);
      });

      test.each(["/api/jobs/%", "/api/%zz", "//", "/api/jobs/../../etc/passwd"])(
        "the path %s",
        async (path) => {
          expect((await server.get(path)).status).toBeLessThan(500);
        },
      );

      test("another method is 405 and says which are allowed", async () => {
        const { status, headers, body } = await server.ask("PUT", "/api/execute");
        expect([status, headers.get("allow"), body.error]).toEqual([405, "POST", "Method Not Allowed"]);
      });
    });

    describe("authentication", () => {
      const refusal = { error: "Unauthorized", message: "Invalid or missing API key" };

      test.each([
        ["no key", {}, ""],
        ["a wrong one", { "x-api-key": "wrong" }, ""],
        ["one with other letters", { "x-api-key": "schl\u00fcssel" }, ""],
        ["a wrong one in the URL", {}, "?key=wrong"],
        ["an empty one", { "x-api-key": "" }, ""],
        ["a wrong header beside a right URL: the header counts", { "x-api-key": "wrong" }, `?key=${testKey}`],
      ])("%s is 401", async (_, headers, query) => {
        const response = await fetch(`${server.url}/api/jobs${query}`, { headers });
        expect(response.status).toBe(401);
        await expect(response.json()).resolves.toEqual(refusal);
      });

      test("the key may stand in the URL or in the body", async () => {
        expect((await fetch(`${server.url}/api/stats?key=${testKey}`)).status).toBe(200);
        const body = new URLSearchParams({ key: testKey, context: "by-form" });
        const posted = await fetch(`${server.url}/api/execute`, { method: "POST", body });
        expect(posted.status).toBe(202);
      });

      test.each([
        "/api/health",
        "/api/version",
        "/healthz",
        "/livez",
        "/readyz",
        "/metrics",
        "/api/openapi.json",
      ])("%s needs none", async (path) => {
        expect((await fetch(server.url + path)).status).toBe(200);
      });

      test("no key is in any log line", async () => {
        await fetch(`${server.url}/api/jobs?key=${testKey}`);
        await fetch(`${server.url}/api/execute?key=not-${testKey}`, { method: "POST" });
        expect(JSON.stringify(server.lines)).not.toContain(testKey);
      });
    });

    describe("jobs", () => {
      test("one job has the documented shape; an unknown one is 404", async () => {
        const { job_id: id } = await server.done("context=shape");
        const { status, body } = await ask("GET", `/api/jobs/${id}`);
        expect(status).toBe(200);
        expect(body).toMatchObject({
          job_id: id,
          status: "completed",
          context: "shape",
          hash: null,
          error: null,
        });
        expect(Date.parse(body.completed_at)).toBeGreaterThanOrEqual(Date.parse(body.started_at));
        const unknown = "550e8400-e29b-41d4-a716-446655440000";
        expect(await ask("GET", `/api/jobs/${unknown}`)).toMatchObject({
          status: 404,
          body: { error: "Not Found", message: `Job not found: ${unknown}` },
        });
      });

      test("the list is filtered, paged and clamped", async () => {
        for (const hash of ["1", "2", "3"]) await server.done(`context=listed&hash=${hash}`);
        const { body } = await ask("GET", "/api/jobs?status=completed&context=listed&limit=2&offset=1");
        expect(body).toMatchObject({ total: 3, limit: 2, offset: 1 });
        expect(body.jobs.map(({ hash }: { hash: string }) => hash)).toEqual(["2", "1"]);
        expect((await ask("GET", "/api/jobs?limit=1000")).body.limit).toBe(100);
        expect((await ask("GET", "/api/jobs")).body.limit).toBe(50);
        expect((await ask("GET", "/api/jobs?context=nobody")).body).toMatchObject({ total: 0, jobs: [] });
      });

      test("a pending job is cancelled, once", async () => {
        const { body } = await ask("POST", "/api/execute?context=cancelled&hash=1&delay=600");
        const path = `/api/jobs/${body.job_id}`;
        expect(await ask("DELETE", path)).toMatchObject({
          status: 200,
          body: { job_id: body.job_id, status: "cancelled", message: "Job cancelled successfully" },
        });
        expect(await ask("DELETE", path)).toMatchObject({
          status: 400,
          body: { error: "Cannot cancel job in status: cancelled" },
        });
        expect((await ask("GET", path)).body.completed_at).not.toBeNull();
        expect((await ask("DELETE", "/api/jobs/nothing")).status).toBe(404);
      });

      test("a job that is processing cannot be cancelled", async () => {
        fake.faults.next("torrents/info", { kind: "latency", ms: 1500 });
        const { body } = await ask("POST", "/api/execute?context=slow");
        const path = `/api/jobs/${body.job_id}`;
        await waitFor(async () => (await server.get(path)).body.status === "processing", {
          what: "it to run",
        });
        expect(await ask("DELETE", path)).toMatchObject({
          status: 400,
          body: { error: "Cannot cancel job in status: processing" },
        });
        await server.over(body.job_id);
      });
    });

    describe("reports", () => {
      test("health tells of queue, worker and qBittorrent", async () => {
        const { status, body } = await ask("GET", "/api/health");
        expect(status).toBe(200);
        expect(body).toMatchObject({
          status: "healthy",
          queue: { backend: backend.name.toLowerCase(), pending_jobs: 0 },
          worker: { status: "running" },
          qbittorrent: { connected: true, version: "v5.3.0" },
          rules: { status: "ok", count: 1 },
        });
      });

      test("statistics and versions have the documented shapes", async () => {
        const { body } = await ask("GET", "/api/stats");
        expect(body.jobs.total).toBeGreaterThan(0);
        expect(body.performance.average_execution_time).toMatch(/^[\d.]+s$/);
        expect(body.uptime).toMatch(/^(\d+d )?(\d+h )?\d+[ms]$/);
        expect((await ask("GET", "/api/version")).body).toMatchObject({
          version: "0.1.0",
          api_version: "1.0",
          qbittorrent_api_version: "2.16.2",
        });
      });

      test("rules tell how often they matched", async () => {
        await server.done(`context=on_added&hash=${film}`);
        const { body } = await ask("GET", "/api/rules");
        expect(body.rules[0]).toMatchObject({
          name: "Auto-categorize HD content on add",
          contexts: ["on_added"],
          actions: ["set_category", "add_tag"],
        });
        await waitFor(async () => (await server.get("/api/rules")).body.rules[0].hits >= 2, { what: "hits" });
      });
    });

    test("jobs tell of themselves while they happen", async () => {
      const response = await fetch(`${server.url}/api/events`, { headers: { "x-api-key": testKey } });
      expect((await fetch(`${server.url}/api/events`)).status).toBe(401);
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      const { job_id: id } = await server.done("context=told");
      let told = "";
      await waitFor(
        async () => {
          told += (await reader?.read())?.value ?? "";
          return told.includes(`{"job_id":"${id}","status":"completed"}`);
        },
        { what: "the end of the job to be told" },
      );
      await reader?.cancel();
    });
  });

  describe.skipIf(backend.missing)(`the seed's criteria, the queue in ${backend.name}`, () => {
    test("jobs survive a restart, those that waited are done then", async () => {
      await using store = await backend.start();
      await using folder = await tempDir();
      await using fake = await startFakeQbittorrent({ torrents });
      const start = async () =>
        await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env, folder });
      const first = await start();
      const done = await first.done("context=before");
      const waiting = (await first.post("/api/execute?context=on_added&hash=1&delay=1")).body.job_id;
      await expect(first.stop()).resolves.toBe(0);
      await using second = await start();
      expect((await second.get(`/api/jobs/${done.job_id}`)).body).toEqual(done);
      await expect(second.over(waiting)).resolves.toMatchObject({ status: "completed" });
    });

    test("its three example rules do what their names say", async () => {
      await using store = await backend.start();
      const old = { progress: 1, completion_on: 1_600_000_000, ratio: 3, num_complete: 40 };
      const rare = { progress: 1, completion_on: Date.now() / 1000, ratio: 0.1, num_complete: 1 };
      await using fake = await startFakeQbittorrent({
        torrents: [
          { name: "Old", fields: old },
          { name: "Rare", hash: series, fields: rare },
          { name: "Common", fields: { ...rare, num_complete: 40 } },
        ],
      });
      await using server = await startServerUnderTest({
        qbittorrent: fake.url,
        rules: rules + scheduledRules,
        env: store.env,
      });
      expect((await server.get("/api/rules")).body.rules).toHaveLength(3);
      const job = await server.done("context=scheduled");
      expect(job.result).toMatchObject({ rules_matched: 2, actions_executed: 2 });
      expect(fake.torrents.map(({ name }) => name)).toEqual(["Rare", "Common"]);
      expect(fake.torrents.map(({ state }) => state)).toEqual(["forcedUP", "stalledUP"]);
      expect(fake.calls.list("torrents/delete")).toMatchObject([{ params: { deleteFiles: "false" } }]);
    });

    test("a hundred webhooks at once are a hundred jobs, each of which is done", async () => {
      await using store = await backend.start();
      const hashes = Array.from({ length: 100 }, (_, at) => at.toString(16).padStart(40, "d"));
      await using fake = await startFakeQbittorrent({
        torrents: hashes.map((hash) => ({ name: `${hash}.1080p`, hash })),
      });
      await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env });
      const jobs = await Promise.all(
        hashes.map(async (hash) => await server.done(`context=on_added&hash=${hash}`)),
      );
      expect(new Set(jobs.map(({ job_id: id }) => id)).size).toBe(100);
      expect(jobs.every(({ status, result }) => status === "completed" && result.rules_matched === 1)).toBe(
        true,
      );
      expect(fake.torrents.filter(({ tags }) => tags === "hd")).toHaveLength(100);
    });

    test("the CLI's job commands work, and the process ends within 30 s", async () => {
      await using store = await backend.start();
      await using fake = await startFakeQbittorrent({ torrents });
      await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env });
      const run = async (...args: string[]) => {
        const { code, stdout } = await server.cli([...args, "--json"]);
        expect([args, code]).toEqual([args, 0]);
        return JSON.parse(stdout);
      };
      const done = await run("--context", "on_added", "--hash", film, "--wait", "--dry-run", "--trace");
      expect(done).toMatchObject({ status: "completed", result: { rules_matched: 1, dry_run: true } });
      expect(done.details.trace).toHaveLength(1);
      const { body } = await server.post("/api/execute?context=later&hash=1&delay=600");
      expect((await run("--list-jobs")).jobs).toHaveLength(2);
      await expect(run("--job-status", body.job_id)).resolves.toMatchObject({ status: "pending" });
      await expect(run("--cancel-job", body.job_id)).resolves.toMatchObject({ status: "cancelled" });
      await expect(run("--stats")).resolves.toMatchObject({ jobs: { total: 2, completed: 1, cancelled: 1 } });
      const stoppedAt = performance.now();
      await expect(server.stop()).resolves.toBe(0);
      expect(performance.now() - stoppedAt).toBeLessThan(30_000);
    });

    test("a qBittorrent that is away makes health 503 with reasons, and the job waits for it", async () => {
      await using store = await backend.start();
      await using fake = await startFakeQbittorrent({ torrents });
      await fake.down();
      await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env: store.env });
      const { status, body } = await server.get("/api/health");
      expect([status, body.status]).toEqual([503, "unhealthy"]);
      expect(body.errors[0]).toMatch(/^Cannot connect to qBittorrent/);
      expect((await server.get("/livez")).status).toBe(200);
      const id = (await server.post(`/api/execute?context=on_added&hash=${film}`)).body.job_id;
      await waitFor(async () => (await server.get(`/api/jobs/${id}`)).body.waits_for, { what: "it to wait" });
      await fake.up();
      await expect(server.over(id)).resolves.toMatchObject({
        status: "completed",
        result: { rules_matched: 1 },
      });
    });
  });
}

/** The answers the seed prints, byte for byte where they are JSON. */
const examples = [
  [
    "GET",
    "/api/health",
    `{"status": "healthy", "version": "0.4.0",
    "queue": {"backend": "sqlite", "pending_jobs": 5, "processing_jobs": 1},
    "worker": {"status": "running", "last_job_completed": "2025-12-13T10:00:05Z"},
    "qbittorrent": {"connected": true, "version": "v5.0.2"}}`,
  ],
  [
    "GET",
    "/api/stats",
    `{"jobs": {"total": 1500, "pending": 5, "processing": 1, "completed": 1450, "failed": 40, "cancelled": 4},
    "performance": {"average_execution_time": "4.2s", "jobs_per_hour": 12.5},
    "queue": {"backend": "sqlite", "depth": 6}, "uptime": "5d 12h 30m"}`,
  ],
  [
    "GET",
    "/api/version",
    `{"version": "0.4.0", "api_version": "1.0", "qbittorrent_api_version": "2024.12.0",
    "build_date": "2025-12-13", "git_commit": "abc123def456"}`,
  ],
  [
    "POST",
    "/api/execute?context=example&hash=abc123",
    `{"job_id": "550e8400-e29b-41d4-a716-446655440000", "status": "pending",
    "context": "scheduled", "hash": "abc123", "queued_at": "2025-12-13T10:00:00Z"}`,
  ],
  [
    "GET",
    "/api/jobs/{id}",
    `{"job_id": "550e8400-e29b-41d4-a716-446655440000", "status": "completed",
    "context": "scheduled", "hash": null, "created_at": "2025-12-13T10:00:00Z", "started_at": "2025-12-13T10:00:01Z",
    "completed_at": "2025-12-13T10:00:05Z",
    "result": {"torrents_processed": 15, "rules_matched": 3, "actions_executed": 5}, "error": null}`,
  ],
  [
    "GET",
    "/api/jobs?status=completed&context=example&limit=20&offset=0",
    `{"total": 150, "limit": 20, "offset": 0,
    "jobs": [{"job_id": "...", "status": "completed", "context": "scheduled", "created_at": "2025-12-13T10:00:00Z",
    "completed_at": "2025-12-13T10:00:05Z"}]}`,
  ],
] as const;

/** Paths and types of all values: what a program that was written for the example relies on. */
function shapeOf(value: unknown, path = "$"): string[] {
  if (value === null || typeof value !== "object")
    return [`${path}: ${value === null ? "null" : typeof value}`];
  return Object.entries(value).flatMap(([key, each]) => shapeOf(each, `${path}.${key}`));
}

/** Problems of an answer with what the OpenAPI document says. */
function validator(document: { paths: Record<string, Record<string, { responses: Responses }>> }) {
  const ajv = new Ajv2020({ strict: false });
  return (method: string, path: string, { status, body }: Answer): string[] => {
    const [plain = ""] = path.split("?", 1);
    const template = document.paths[plain] === undefined ? plain.replace(/[^/]+$/, "{id}") : plain;
    const schema =
      document.paths[template]?.[method.toLowerCase()]?.responses[status]?.content["application/json"].schema;
    if (schema === undefined) return [`${method} ${template} ${status} is not documented`];
    const isValid = ajv.compile(schema);
    return isValid(body) ? [] : (isValid.errors ?? []).map((each) => `${each.instancePath} ${each.message}`);
  };
}

type Responses = Record<number, { content: { "application/json": { schema: AnySchema } } }>;

test.skipIf(await isMissing("Redis"))(
  "a server that leaves the work to rules-workers says so when there is none",
  async () => {
    await using redis = await startRedis({ appendOnly: true });
    await using fake = await startFakeQbittorrent();
    const env = {
      QBT_RULES_QUEUE_BACKEND: "redis",
      QBT_RULES_QUEUE_REDIS_URL: redis.url,
      QBT_RULES_WORKER: "off",
    };
    await using server = await startServerUnderTest({ qbittorrent: fake.url, rules, env });
    const { status, body } = await server.get("/api/health");
    expect([status, body.worker.mode, body.worker.status]).toEqual([503, "remote", "stopped"]);
    expect(body.errors).toEqual(["Worker thread not responding: no rules-worker takes jobs from the queue"]);
    const { body: job } = await server.post("/api/execute?context=waits");
    expect((await server.get(`/api/jobs/${job.job_id}`)).body.status).toBe("pending");
  },
);
