import { seedExample as rules } from "@qbit-sidecars/rules/seed-example";
import { type FakeQbittorrent, startFakeQbittorrent, waitFor } from "@qbit-sidecars/testing";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { backends } from "./backends-under-test.ts";
import { seedAnswers, shapeOf } from "./seed-answers-under-test.ts";
import { type Answer, type ServerUnderTest, startServerUnderTest, testKey } from "./server-under-test.ts";

vi.setConfig({ testTimeout: 60_000 });

const film = "a".repeat(40);
const series = "b".repeat(40);
const v2 = `${"c".repeat(40)}${"0".repeat(24)}`;
const torrents = [
  { name: "Film.2026.1080p", hash: film },
  { name: "Series.S01E01", hash: series },
  { name: "V2.2160p", hash: "c".repeat(40) },
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

    test.each(seedAnswers)(
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
          rules: { status: "ok", count: 3 },
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
