import { afterEach, expect, test } from "vitest";

import { systemClock } from "./clock.ts";

const timers = () => process.getActiveResourcesInfo().filter((each) => each === "Timeout").length;
const before = timers();

afterEach(() => {
  if (timers() > before + 1) throw new Error("the test left a timer open");
});

test("sleeps at least as long as asked", async () => {
  const start = systemClock.monotonic();
  await systemClock.sleep(20);
  expect(systemClock.monotonic() - start).toBeGreaterThanOrEqual(19);
});

test("a sleep ends at once with the signal's own reason, before and during it", async () => {
  const reason = new Error("stopping");
  const abort = new AbortController();
  const asleep = systemClock.sleep(3_600_000, abort.signal);
  abort.abort(reason);
  await expect(asleep).rejects.toBe(reason);
  await expect(systemClock.sleep(3_600_000, abort.signal)).rejects.toBe(reason);
});

test("a sleep longer than a timer can count does not end at once", async () => {
  const abort = new AbortController();
  let over = false;
  const asleep = systemClock.sleep(2 ** 32, abort.signal).then(() => (over = true));
  await systemClock.sleep(20);
  expect(over).toBe(false);
  abort.abort();
  await expect(asleep).rejects.toThrow("aborted");
});
