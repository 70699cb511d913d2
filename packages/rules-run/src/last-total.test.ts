import { FakeClock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import { LastTotal } from "./last-total.ts";

const minuteMs = 60_000;

test("a list that lost most of its torrents does not become what the next one is compared with", () => {
  const total = new LastTotal(new FakeClock());
  expect(total.value).toBeUndefined();
  for (const seen of [5000, 0, 300, 2000]) total.note(seen);
  expect(total.value).toBe(5000);
  total.note(4000);
  expect(total.value).toBe(4000);
});

test("a list that stays short is believed after an hour", async () => {
  const clock = new FakeClock();
  const total = new LastTotal(clock);
  total.note(5000);
  total.note(300);
  await clock.advance(59 * minuteMs);
  total.note(310);
  expect(total.value).toBe(5000);
  await clock.advance(minuteMs);
  total.note(310);
  expect(total.value).toBe(310);
});

test("the hour begins anew when the list was whole meanwhile", async () => {
  const clock = new FakeClock();
  const total = new LastTotal(clock);
  for (const seen of [5000, 300, 5000]) total.note(seen);
  await clock.advance(90 * minuteMs);
  total.note(300);
  expect(total.value).toBe(5000);
});
