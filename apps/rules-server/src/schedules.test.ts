import type { ReadFile } from "@qbit-sidecars/config";
import { describe, expect, test } from "vitest";
import { readSchedules, ScheduleError } from "./schedules.ts";

const files =
  (texts: Record<string, string>): ReadFile =>
  async (path) => {
    const text = texts[path];
    return text === undefined ? { ok: false, missing: true, problem: "does not exist" } : { ok: true, text };
  };

describe("schedules", () => {
  test("stand in config.yml and in variables, each of which may name a file", async () => {
    const configYml = `
server: { port: 5000 }
schedule:
  - cron: "0 4 * * *"
    context: scheduled
    timezone: Europe/Berlin
    jitter: 5m
  - { cron: "@hourly" }
`;
    const env = {
      QBT_RULES_SCHEDULE_2_CRON: "*/5 * * * *",
      QBT_RULES_SCHEDULE_2_CONTEXT: "often",
      QBT_RULES_SCHEDULE_2_DRY_RUN: "true",
      QBT_RULES_SCHEDULE_1_CRON_FILE: "/run/cron",
      QBT_RULES_SCHEDULE_3_CRON: "",
    };
    const schedules = await readSchedules(
      "/c.yml",
      env,
      files({ "/c.yml": configYml, "/run/cron": "0 0 1 * *\n" }),
    );
    expect(
      schedules.map(({ from, pattern, context, dryRun, jitterMs }) => [
        from,
        pattern,
        context,
        dryRun,
        jitterMs,
      ]),
    ).toEqual([
      ["/c.yml: schedule, item 1", "0 4 * * *", "scheduled", false, 300_000],
      ["/c.yml: schedule, item 2", "@hourly", undefined, false, 0],
      ["QBT_RULES_SCHEDULE_1", "0 0 1 * *", undefined, false, 0],
      ["QBT_RULES_SCHEDULE_2", "*/5 * * * *", "often", true, 0],
    ]);
  });

  test("are in their time zone, through the change of summer time", async () => {
    const env = { QBT_RULES_SCHEDULE_1_CRON: "0 4 * * *", QBT_RULES_SCHEDULE_1_TIMEZONE: "Europe/Berlin" };
    const [schedule] = await readSchedules(undefined, env);
    const next = (from: string) => schedule?.cron.nextRun(new Date(from))?.toISOString();
    expect(next("2026-10-24T00:00:00Z")).toBe("2026-10-24T02:00:00.000Z");
    expect(next("2026-10-25T00:00:00Z")).toBe("2026-10-25T03:00:00.000Z");
  });

  test.each([
    [{ QBT_RULES_SCHEDULE_1_CONTEXT: "x" }, "QBT_RULES_SCHEDULE_1: it has no cron expression"],
    [{ QBT_RULES_SCHEDULE_1_CRON: "every day" }, 'QBT_RULES_SCHEDULE_1: cron "every day"'],
    [{ QBT_RULES_SCHEDULE_1_CRON: "0 0 30 2 *" }, "never comes"],
    [{ QBT_RULES_SCHEDULE_1_CRON: "0 4 * * *", QBT_RULES_SCHEDULE_1_TIMEZONE: "Mars/Base" }, "in Mars/Base"],
    [{ QBT_RULES_SCHEDULE_1_CRON: "0 4 * * *", QBT_RULES_SCHEDULE_1_JITTER: "a bit" }, 'jitter "a bit"'],
    [{ QBT_RULES_SCHEDULE_1_CRON: "0 4 * * *", QBT_RULES_SCHEDULE_1_CONTXT: "x" }, "did you mean context?"],
    [
      { QBT_RULES_SCHEDULE_1_CRON_FILE: "/gone" },
      "QBT_RULES_SCHEDULE_1_CRON_FILE (/gone): the file does not exist",
    ],
  ])("%j is refused with the reason", async (env, reason) => {
    const refused = readSchedules(undefined, env, files({}));
    await expect(refused).rejects.toThrow(ScheduleError);
    await expect(refused).rejects.toThrow(reason);
  });

  test("a list that is none is refused", async () => {
    const refused = readSchedules("/c.yml", {}, files({ "/c.yml": "schedule: daily" }));
    await expect(refused).rejects.toThrow("/c.yml: schedule is no list");
  });

  test.each([
    { what: "no list", text: "schedule: daily\n", says: "schedule is no list" },
    {
      what: "an item that is no mapping",
      text: "schedule: [daily]\n",
      says: "schedule, item 1: it is no mapping",
    },
    {
      what: "a field that is none, but nearly",
      text: 'schedule: [{ crn: "@daily" }]\n',
      says: "did you mean cron?",
    },
    {
      what: "a field that is none at all",
      text: 'schedule: [{ zzzzz: "@daily" }]\n',
      says: "there is no zzzzz",
    },
    {
      what: "a jitter of no length",
      text: 'schedule: [{ cron: "@daily", jitter: soon }]\n',
      says: 'jitter "soon"',
    },
    {
      what: "a time zone nobody knows",
      text: 'schedule: [{ cron: "@daily", timezone: Mars }]\n',
      says: "in Mars",
    },
  ])("with $what are refused with their place", async ({ text, says }) => {
    await expect(readSchedules("/c.yml", {}, files({ "/c.yml": text }))).rejects.toThrow(says);
  });

  test("that are named and empty are none; a file that cannot be read is told", async () => {
    const none = files({ "/c.yml": "schedule:\n" });
    await expect(readSchedules("/c.yml", {}, none)).resolves.toEqual([]);
    await expect(readSchedules("/gone.yml", {}, none)).rejects.toThrow("/gone.yml: the file does not exist");
    const env = { QBT_RULES_SCHEDULE_1_CRON_FILE: "/gone" };
    await expect(readSchedules(undefined, env, none)).rejects.toThrow(
      "QBT_RULES_SCHEDULE_1_CRON_FILE (/gone)",
    );
  });
});
