import { Secret } from "@qbit-sidecars/config";
import { expect, test } from "vitest";
import { auditPath, leaseMs, outsideSettingsOf, queueOptions, rulesPath } from "./engine.ts";

const nothing = {
  notificationsWebhookUrl: undefined,
  sonarrUrl: undefined,
  sonarrApiKey: undefined,
  radarrUrl: undefined,
  radarrApiKey: undefined,
};

// What the settings' own tests make of variables; here is what is made of settings.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the settings that these functions read
const config = (changes: object) =>
  ({
    ...nothing,
    configDir: "/config",
    qbitTimeout: 10_000,
    queueBackend: "sqlite",
    ...changes,
  }) as unknown as Parameters<typeof queueOptions>[0];

test("files are in the config folder unless they are named, and an empty name means none", () => {
  expect(rulesPath(config({}))).toBe("/config/rules.yml");
  expect(rulesPath(config({ rulesFile: "/rules/mine.yml" }))).toBe("/rules/mine.yml");
  expect(auditPath(config({}))).toBe("/config/qbt-rules-audit.jsonl");
  expect(auditPath(config({ auditLog: "" }))).toBeUndefined();
  expect(queueOptions(config({}), {})).toMatchObject({ backend: "sqlite", path: "/config/qbt-rules.db" });
  expect(queueOptions(config({ queueSqlitePath: "/q.db" }), {})).toMatchObject({ path: "/q.db" });
});

test("a queue in a Redis has no file", () => {
  const redis = { queueBackend: "redis", queueRedisUrl: "redis://redis/0" };
  expect(queueOptions(config(redis), { hungAfterMs: 7 })).toEqual({
    backend: "redis",
    url: "redis://redis/0",
    leaseMs: 15_000,
    hungAfterMs: 7,
  });
  // The settings refuse that before; what opens it says so as well.
  expect(queueOptions(config({ queueBackend: "redis" }), {})).toMatchObject({ url: "" });
});

test("the lease outlives one slow write", () => {
  expect(leaseMs({ qbitTimeout: 1000 })).toBe(15_000);
  expect(leaseMs({ qbitTimeout: 60_000 })).toBe(90_000);
});

test("an *arr app is known by its address and its key together", () => {
  expect(outsideSettingsOf(config({}))).toEqual({});
  expect(outsideSettingsOf(config({ sonarrUrl: "http://sonarr" }))).toEqual({});
  expect(
    outsideSettingsOf(
      config({
        notificationsWebhookUrl: new Secret("http://hook/s3cret"),
        sonarrUrl: "http://sonarr",
        sonarrApiKey: new Secret("one"),
        radarrUrl: "http://radarr",
        radarrApiKey: new Secret("two"),
      }),
    ),
  ).toEqual({
    notifyUrl: "http://hook/s3cret",
    sonarr: { url: "http://sonarr", apiKey: "one" },
    radarr: { url: "http://radarr", apiKey: "two" },
  });
});
