import { FakeClock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

test("lets through its rate, in the order of asking, and saves nothing up", async () => {
  const clock = new FakeClock();
  const bucket = new TokenBucket(1000, clock);
  const { signal } = new AbortController();
  const passed: number[] = [];
  await clock.advance(60_000);
  for (let index = 0; index < 4; index += 1) void bucket.take(500, signal).then(() => passed.push(index));
  await clock.advance(0);
  expect(passed).toEqual([0]);
  await clock.advance(500);
  expect(passed).toEqual([0, 1]);
  await clock.advance(1000);
  expect(passed).toEqual([0, 1, 2, 3]);
});

test("without a limit nobody waits", async () => {
  const bucket = new TokenBucket(0, new FakeClock());
  await expect(bucket.take(1e12, new AbortController().signal)).resolves.toBeUndefined();
});

test("whoever waits is let go when the service stops", async () => {
  const bucket = new TokenBucket(1, new FakeClock());
  const stop = new AbortController();
  await bucket.take(1000, stop.signal);
  const waiting = bucket.take(1, stop.signal);
  stop.abort(new Error("stopped"));
  await expect(waiting).rejects.toThrow("stopped");
});
