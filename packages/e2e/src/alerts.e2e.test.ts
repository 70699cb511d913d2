import { freePort, isMissing, startRedis, tempDir, waitFor } from "@qbit-sidecars/testing";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { appEnvironment, appNames, repository } from "./app-images.ts";
import { runApp } from "./run-app.ts";

test.skipIf(await isMissing("Redis")).each(appNames)(
  "every metric in the alerts and on the dashboard of %s is one that it tells, before anything has happened",
  async (app) => {
    await using dir = await tempDir();
    await using redis = app === "rules-worker" ? await startRedis() : undefined;
    const health = `127.0.0.1:${await freePort()}`;
    const env = {
      ...appEnvironment(app, health),
      STATE_DIR: join(dir.path, "state"),
      QBT_RULES_CONFIG_DIR: dir.path,
      QBSYNC_SOURCE_DATA: dir.path,
      QBSYNC_DESTINATION_DATA: dir.path,
      ...(redis && { QBT_RULES_QUEUE_REDIS_URL: redis.url }),
    };
    await using running = runApp(app, { env, args: app === "rules-server" ? ["--serve"] : [] });
    const queries = await queriesOf(app);
    expect(queries.length).toBeGreaterThan(5);
    const asked = [...new Set(queries.flatMap(metricsIn))];
    let untold = asked;
    const tellsAll = async () => {
      const text = await (await fetch(`http://${health}/metrics`)).text();
      const told = [...text.matchAll(/^# TYPE (\S+)/gmu)].map(([, name]) => name);
      untold = asked.filter((name) => !told.includes(name));
      return untold.length === 0;
    };
    await waitFor(tellsAll, { what: "all metrics", timeoutMs: 20_000 }).catch((cause: unknown) => {
      throw new Error(`${app} does not tell ${untold.join(", ")}\n${running.errors}`, { cause });
    });
  },
);

async function queriesOf(app: string): Promise<string[]> {
  const read = async (file: string) => await readFile(join(repository, "charts", app, file), "utf8");
  const alerts = parse(await read("alerts.yaml")) as { expr: string }[];
  const { panels } = JSON.parse(await read("dashboard.json")) as {
    panels: { targets: { expr: string }[] }[];
  };
  return [...alerts, ...panels.flatMap(({ targets }) => targets)].map(({ expr }) => expr);
}

/** The metrics that a query asks for: what is left of its words without labels, functions and their modifiers. */
function metricsIn(query: string): string[] {
  const bare = query.replaceAll(/\{[^}]*\}|\b(?:by|on|without) \([^)]*\)/gu, "");
  const words = bare.match(/\b[a-z]+(?:_[a-z]+)+\b(?! *\()/gu) ?? [];
  return words.map((word) => word.replace(/_(?:bucket|sum|count)$/u, ""));
}
