import { declareSettings } from "@qbit-sidecars/config";
import { runService, serviceSettings } from "@qbit-sidecars/service";
import {
  type DoctorProgram,
  freePort,
  isMissing,
  runDoctor,
  startFakeQbittorrent,
  startRedis,
  tempDir,
} from "@qbit-sidecars/testing";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { engineDoctor } from "./doctor.ts";
import { engineSettings, redisNeedsUrl } from "./settings.ts";

const settings = declareSettings(
  { ...engineSettings(), healthAddr: serviceSettings({ healthAddr: ":1" }).healthAddr },
  [redisNeedsUrl],
);

/** The least that runs rules: its doctor looks at nothing else. */
const engine: DoctorProgram = (process) =>
  runService(
    {
      name: "engine",
      version: "1",
      about: "runs rules",
      settings,
      start: async () => {},
      doctor: async (config, service) =>
        (await engineDoctor({ config, service, settings, health: config.healthAddr })).checks,
    },
    process,
  );

const good = "rules: [{ name: one, conditions: {}, actions: [{ type: add_tag, params: { tag: seen } }] }]\n";

type World = { rules?: string | undefined; env?: Record<string, string>; files?: Record<string, string> };

async function examine({ rules = good, env, files = {} }: World = {}) {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent();
  for (const [name, text] of Object.entries({ "rules.yml": rules, ...files }))
    await writeFile(join(folder.path, name), text);
  return await runDoctor(engine, {
    env: {
      QBT_RULES_CONFIG_DIR: folder.path,
      QBT_RULES_QBITTORRENT_HOST: fake.url,
      HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      ...env,
    },
  });
}

describe("the rules", () => {
  test("are counted where they are right", async () => {
    const report = await examine();
    expect(report.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    expect(report.of("rules file").seen).toMatch(/rules\.yml has 1 rules and no mistakes$/);
  });

  test("that have mistakes are told of by the first one, its place, and how many there are", async () => {
    const report = await examine({ rules: "rules:\n  - nmae: a\n  - nmae: b\n" });
    expect([report.code, report.of("rules file")]).toMatchObject([
      1,
      {
        seen: expect.stringMatching(/rules\.yml:2:\d+: .*, and \d+ more$/),
        todo: expect.stringContaining("qbt-rules lint"),
      },
    ]);
  });

  test("that are nowhere are to be written there, or somewhere else", async () => {
    const report = await examine({ env: { QBT_RULES_RULES_FILE: "/nowhere/rules.yml" } });
    expect(report.of("rules file")).toMatchObject({
      seen: expect.stringContaining("/nowhere/rules.yml"),
      todo: expect.stringContaining("QBT_RULES_RULES_FILE"),
    });
  });
});

describe("a queue in a file", () => {
  test("that the running program has open is told to be so", async () => {
    const server = createServer((_, response) => response.end('{"name":"engine","status":"ok"}'));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    try {
      const report = await examine({ env: { HEALTH_ADDR: `127.0.0.1:${port}` } });
      expect(report.of("queue").seen).toContain("the running engine has it open");
    } finally {
      server.close();
    }
  });

  test.each([
    ["is damaged", { files: { "qbt-rules.db": "not a database ".repeat(500) } }, "do as it says"],
    ["cannot be written", { env: { QBT_RULES_QUEUE_SQLITE_PATH: "/dev/null/q.db" } }, "volume"],
  ])("that %s", async (_, world, todo) => {
    expect((await examine(world)).of("queue")).toMatchObject({
      verdict: "problem",
      todo: expect.stringContaining(todo),
    });
  });
});

test("the audit log's folder is looked at where there is to be one", async () => {
  const nowhere = await examine({ env: { QBT_RULES_AUDIT_LOG: "/dev/null/audit.jsonl" } });
  expect(nowhere.of("audit log")).toMatchObject({ verdict: "problem" });
  const none = await examine({ env: { QBT_RULES_AUDIT_LOG: "" } });
  expect(none.checks.map(({ name }) => name)).not.toContain("audit log");
});

test("a queue in a Redis that nobody named does not come as far as the doctor", async () => {
  await expect(examine({ env: { QBT_RULES_QUEUE_BACKEND: "redis" } })).rejects.toThrow("none is named");
});

test("a Redis that is not there: its clock is not asked for", async () => {
  const url = `redis://127.0.0.1:${await freePort()}`;
  const report = await examine({
    env: { QBT_RULES_QUEUE_BACKEND: "redis", QBT_RULES_QUEUE_REDIS_URL: url },
  });
  expect(report.of("queue")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("QBT_RULES_QUEUE_REDIS_URL"),
  });
  expect(report.of("clock and Redis").verdict).toBe("unknown");
});

describe.skipIf(await isMissing("Redis"))("a queue in a real Redis", () => {
  test.each([
    ["is well", { appendOnly: true }, { verdict: "ok" }],
    ["would lose jobs", {}, { verdict: "problem", todo: "change that in Redis' configuration" }],
  ])("that %s", async (_, options, finding) => {
    await using redis = await startRedis(options);
    const report = await examine({
      env: { QBT_RULES_QUEUE_BACKEND: "redis", QBT_RULES_QUEUE_REDIS_URL: redis.url },
    });
    expect(report.of("queue")).toMatchObject(finding);
    expect(report.of("clock and Redis").verdict).toBe(finding.verdict === "ok" ? "ok" : "unknown");
  });
});
