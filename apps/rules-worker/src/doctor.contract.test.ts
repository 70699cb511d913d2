import {
  freePort,
  isMissing,
  runDoctor,
  startFakeQbittorrent,
  startRedis,
  tempDir,
} from "@qbit-sidecars/testing";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { program } from "./program.ts";

const rules = "rules: [{ name: one, conditions: {}, actions: [{ type: add_tag, params: { tag: seen } }] }]\n";

/** rules-worker's doctor between a fake qBittorrent and whatever Redis. */
async function examine(
  redisUrl: string,
  { rulesText = rules, env }: { rulesText?: string; env?: Record<string, string> } = {},
) {
  await using folder = await tempDir();
  await using fake = await startFakeQbittorrent();
  await writeFile(join(folder.path, "rules.yml"), rulesText);
  return await runDoctor(program, {
    env: {
      QBT_RULES_CONFIG_DIR: folder.path,
      QBT_RULES_QUEUE_REDIS_URL: redisUrl,
      QBT_RULES_QBITTORRENT_HOST: fake.url,
      HEALTH_ADDR: `127.0.0.1:${await freePort()}`,
      ...env,
    },
  });
}

test("no Redis, a wrong rules file and a folder that cannot be written", async () => {
  const port = await freePort();
  const report = await examine(`redis://:s3same@127.0.0.1:${port}`, {
    rulesText: "rules: [{ name: 1, actins: [] }]",
    env: { QBT_RULES_AUDIT_LOG: "/dev/null/x/audit.jsonl" },
  });
  expect(report.code).toBe(1);
  expect(report.of("queue")).toMatchObject({
    verdict: "problem",
    seen: expect.stringMatching(new RegExp(`reaching Redis at 127.0.0.1:${port}: .*ECONNREFUSED`)),
    todo: expect.stringContaining("QBT_RULES_QUEUE_REDIS_URL"),
  });
  expect(report.of("clock and Redis").verdict).toBe("unknown");
  expect(report.of("rules file")).toMatchObject({
    verdict: "problem",
    todo: expect.stringContaining("lint"),
  });
  expect(report.of("audit log").verdict).toBe("problem");
  expect(report.text).not.toContain("s3same");
});

describe.skipIf(await isMissing("Redis"))("on a real Redis", () => {
  test("all is well", async () => {
    await using redis = await startRedis({ appendOnly: true, password: "s3same" });
    const report = await examine(redis.url);
    expect(report.checks.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    expect(report.code).toBe(0);
    expect(report.of("clock and Redis").seen).toContain("agree");
    expect(report.text).not.toContain("s3same");
  });

  test("a Redis that would lose jobs, and one with another password", async () => {
    await using redis = await startRedis({ password: "s3same" });
    expect((await examine(redis.url)).of("queue")).toMatchObject({
      verdict: "problem",
      seen: expect.stringContaining("set appendonly yes"),
    });
    const wrong = redis.url.replace("s3same", "wr0ng-one");
    const refused = await examine(wrong);
    expect(refused.of("queue")).toMatchObject({
      verdict: "problem",
      seen: expect.stringContaining("WRONGPASS"),
    });
    expect(refused.text).not.toContain("wr0ng-one");
  });
});
