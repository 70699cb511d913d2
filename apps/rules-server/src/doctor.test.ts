import {
  type FakeQbittorrentOptions,
  freePort,
  runDoctor,
  startFakeQbittorrent,
  tempDir,
} from "@qbit-sidecars/testing";
import { openQueue } from "@qbit-sidecars/jobs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { program } from "./program.ts";
import { startServerUnderTest, testKey } from "./server-under-test.ts";

const rules = "rules: [{ name: one, conditions: {}, actions: [{ type: add_tag, params: { tag: seen } }] }]\n";

type World = {
  env?: Record<string, string>;
  fake?: FakeQbittorrentOptions;
  before?: (folder: string) => Promise<void>;
};

async function examine({ env, fake: options, before }: World = {}) {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent(options);
  await writeFile(join(folder.path, "rules.yml"), rules);
  await before?.(folder.path);
  const there = await readdir(folder.path);
  const report = await runDoctor(program, {
    env: {
      QBT_RULES_CONFIG_DIR: folder.path,
      QBT_RULES_SERVER_API_KEY: testKey,
      QBT_RULES_SERVER_HOST: "127.0.0.1",
      QBT_RULES_SERVER_PORT: String(await freePort()),
      QBT_RULES_QBITTORRENT_HOST: fake.url,
      ...env,
    },
  });
  expect(await readdir(folder.path)).toEqual(there);
  expect(fake.calls.count("app/setPreferences")).toBe(0);
  expect(report.text).not.toContain(testKey);
  return report;
}

test("all is well, and no file was made", async () => {
  const report = await examine();
  expect(report.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
  expect(report.code).toBe(0);
  expect(report.of("rules file").seen).toContain("has 1 rules and no mistakes");
  expect(report.of("queue").seen).toContain("is not there yet");
});

test("beside the running server, whose database it does not disturb", async () => {
  await using fake = await startFakeQbittorrent();
  await using server = await startServerUnderTest({ qbittorrent: fake.url, rules });
  const { port } = new URL(server.url);
  const report = await runDoctor(program, {
    env: {
      QBT_RULES_CONFIG_DIR: server.folder.path,
      QBT_RULES_SERVER_API_KEY: testKey,
      QBT_RULES_SERVER_HOST: "127.0.0.1",
      QBT_RULES_SERVER_PORT: port,
      QBT_RULES_QBITTORRENT_HOST: fake.url,
    },
  });
  expect(report.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
  expect(report.of("queue").seen).toContain("the running qbt-rules has it open");
  expect(report.of("API address").seen).toContain("qbt-rules runs");
});

test("a database of a newer version is a problem, and so is one that is none", async () => {
  const report = await examine({
    before: async (folder) => {
      const path = join(folder, "qbt-rules.db");
      await (await openQueue({ backend: "sqlite", path }))[Symbol.asyncDispose]();
      const db = new DatabaseSync(path);
      db.exec("INSERT INTO schema_version (version) VALUES (99)");
      db.close();
    },
  });
  expect(report.of("queue")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("written by a newer version (schema 99"),
  });
  const damaged = await examine({
    before: (folder) => writeFile(join(folder, "qbt-rules.db"), "hello ".repeat(200)),
  });
  expect(damaged.of("queue")).toMatchObject({
    verdict: "problem",
    seen: expect.stringContaining("is damaged"),
  });
});

test("a place for the database that cannot be written", async () => {
  const report = await examine({ env: { QBT_RULES_QUEUE_SQLITE_PATH: "/dev/null/x.db" } });
  expect(report.of("queue")).toMatchObject({
    verdict: "problem",
    seen: "/dev/null is in the way: it is no folder",
    todo: expect.stringContaining("QBT_RULES_QUEUE_SQLITE_PATH"),
  });
});

test.each([
  { env: { QBT_RULES_SERVER_API_KEY: "" }, check: "API key", seen: "there is none" },
  { env: { QBT_RULES_SERVER_API_KEY: "short" }, check: "API key", seen: "can be guessed" },
  { env: { QBT_RULES_RULES_FILE: "/nowhere/rules.yml" }, check: "rules file", seen: "does not exist" },
  { env: { QBT_RULES_SCHEDULE_1_CRON: "every day" }, check: "schedules", seen: "QBT_RULES_SCHEDULE_1" },
  { env: { QBT_RULES_LOG_FILE: "/dev/null/x/log" }, check: "log file", seen: "is in the way" },
])("$check: $seen", async ({ env, check, seen }) => {
  const report = await examine({ env });
  expect(report.of(check)).toMatchObject({ verdict: "problem", seen: expect.stringContaining(seen) });
  expect(report.code).toBe(1);
});

test("of several mistakes in the rules the first is told, and how many more there are", async () => {
  const wrong = "rules: [{ name: a, conditions: {}, actins: [] }, { name: b, conditions: {}, actins: [] }]";
  const report = await examine({ before: (folder) => writeFile(join(folder, "rules.yml"), wrong) });
  expect(report.of("rules file")).toMatchObject({
    verdict: "problem",
    seen: expect.stringMatching(/rules\.yml:1:\d+: rule "a".*, and \d+ more$/u),
    todo: expect.stringContaining("qbt-rules lint"),
  });
});

test("several keys, a listener for probes of its own, no log file, and both hooks", async () => {
  const call = (context: string) =>
    `curl -X POST "http://localhost:5000/api/execute?context=${context}&hash=%K"`;
  const report = await examine({
    env: {
      QBT_RULES_SERVER_API_KEY: `${testKey},${testKey}-of-tomorrow`,
      HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      QBT_RULES_LOG_FILE: "",
      QBT_RULES_AUDIT_LOG: "",
    },
    fake: {
      preferences: {
        autorun_enabled: true,
        autorun_program: call("finished"),
        autorun_on_torrent_added_enabled: true,
        autorun_on_torrent_added_program: call("added"),
      },
    },
  });
  expect(report.of("API key").seen).toBe("there are 2");
  expect(report.of("health address").verdict).toBe("ok");
  expect(report.of("hooks").seen).toBe("qBittorrent tells this server of added and finished torrents");
  const names = report.checks.map(({ name }) => name);
  expect(names).not.toContain("log file");
  expect(names).not.toContain("audit log");
});

test("a hook that calls this server is seen", async () => {
  const report = await examine({
    fake: {
      preferences: {
        autorun_enabled: true,
        autorun_program: `curl -X POST "http://localhost:5000/api/execute?context=finished&hash=%K"`,
      },
    },
  });
  expect(report.of("hooks").seen).toContain("no hook for added torrents");
});
