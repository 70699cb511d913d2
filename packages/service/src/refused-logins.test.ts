import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Auth } from "@qbit-sidecars/qbit-client";
import { tempDir } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { RefusedLogins } from "./refused-logins.ts";

const wrong: Auth = { kind: "password", username: "admin", password: "hunter2" };
const other: Auth = { ...wrong, password: "hunter3" };
const minuteMs = 60_000;

async function cron() {
  const dir = await tempDir();
  const path = join(dir.path, "state", "refused.json");
  const at = { nowMs: 0 };
  return {
    at,
    path,
    /** One run that shows these credentials. @returns whether it got to show them */
    async run(auth: Auth, outcome: "loginRefused" | "banned" | "login" = "loginRefused") {
      await using refused = new RefusedLogins(path, () => at.nowMs);
      try {
        await refused.check(auth);
      } catch {
        return false;
      }
      refused.hear({ type: outcome, again: false, tries: 1, retryAfterMs: 0 });
      return true;
    },
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

test("refused credentials are shown after half a minute, an hour and a day, however often it runs", async () => {
  await using job = await cron();
  const shownAt: number[] = [];
  for (let minute = 0; minute < 2 * 24 * 60; minute += 1) {
    job.at.nowMs = minute * minuteMs;
    if (await job.run(wrong)) shownAt.push(minute);
  }
  expect(shownAt).toEqual([0, 1, 61, 61 + 24 * 60]);
});

test("others are shown at once, and one that is taken ends the waiting", async () => {
  await using job = await cron();
  await job.run(wrong);
  expect(await job.run(wrong)).toBe(false);
  expect(await job.run(other, "login")).toBe(true);
  expect(await job.run(wrong)).toBe(true);
});

test("after a ban they wait for an hour", async () => {
  await using job = await cron();
  await job.run(wrong, "banned");
  job.at.nowMs = 59 * minuteMs;
  expect(await job.run(wrong)).toBe(false);
  job.at.nowMs = 60 * minuteMs;
  expect(await job.run(wrong)).toBe(true);
});

test("the file is its owner's, tells no password, and when it is damaged nothing is remembered", async () => {
  await using job = await cron();
  await job.run(wrong);
  expect(await readFile(job.path, "utf8")).not.toContain("hunter2");
  expect((await stat(job.path)).mode & 0o777).toBe(0o600);
  for (const text of ["{", "null", "[]", '{"times":"x"}']) {
    await writeFile(job.path, text);
    expect(await job.run(wrong)).toBe(true);
  }
});
