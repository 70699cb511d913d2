import {
  QbitAuthError,
  QbitBadRequestError,
  QbitBannedError,
  QbitRejectedError,
  QbitResponseError,
  QbitUnreachableError,
  QbitUnsupportedError,
} from "@qbit-sidecars/qbit-client";
import { expect, test } from "vitest";
import { mayHeal, needsSomebody, patienceDefaults, putOff } from "./put-off.ts";

const [minute, day] = [60_000, 86_400_000];
const status = { status: 500, excerpt: "" };

test.each([
  [new QbitUnreachableError("x", { reason: "refused" }), "waits"],
  [new QbitResponseError("x", status), "waits"],
  [new QbitAuthError("x"), "waits for a person"],
  [new QbitBannedError("x"), "waits for a person"],
  [new QbitRejectedError("x"), "waits for a person"],
  [new QbitUnsupportedError("x"), "fails"],
  [new QbitBadRequestError("x", status), "fails"],
  [new TypeError("our own fault"), "fails"],
])("%o: the job %s", (error, expected) => {
  const waits = mayHeal(error) ? (needsSomebody(error) ? "waits for a person" : "waits") : "fails";
  expect(waits).toBe(expected);
});

test("a job comes back after 5 s, 30 s, 2 min, then every 5 minutes, and fails after a day", () => {
  const patience = { ...patienceDefaults, fromMs: 0 };
  const job = (attempts: number) => ({ attempts, createdAt: new Date(day).toISOString() });
  const at = (attempts: number, ageMs: number) =>
    putOff(job(attempts), "away", { nowMs: day + ageMs, patience });
  const waits = [1, 2, 3, 4, 200].map((attempts) => at(attempts, day - 1));
  expect(waits.map((outcome) => "delayMs" in outcome && outcome.delayMs)).toEqual([
    5000,
    30_000,
    2 * minute,
    5 * minute,
    5 * minute,
  ]);
  expect(waits[0]).toMatchObject({
    kind: "put off",
    reason: "away; it is waited for until 1970-01-03T00:00:00.000Z",
  });
  expect(at(4, day)).toEqual({
    kind: "failed",
    error: "away; it was waited for since 1970-01-02T00:00:00.000Z",
  });
});

test("a job that is old because nobody ran, or was to wait, does not fail at the first look", () => {
  const old = { attempts: 40, createdAt: new Date(0).toISOString() };
  const patience = { ...patienceDefaults, fromMs: 7 * day };
  expect(putOff(old, "away", { nowMs: 7 * day + minute, patience }).kind).toBe("put off");
  const delayed = { attempts: 1, createdAt: new Date(7 * day).toISOString() };
  expect(putOff(delayed, "away", { nowMs: 9 * day, patience }).kind).toBe("put off");
});
