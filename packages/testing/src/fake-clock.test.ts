import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { FakeClock } from "./fake-clock.ts";

describe("a clock that a test moves", () => {
  test("stands still until it is moved", async () => {
    const clock = new FakeClock(1_000_000);
    expect([clock.now(), clock.monotonic()]).toEqual([1_000_000, 0]);
    await clock.advance(2_500);
    expect([clock.now(), clock.monotonic()]).toEqual([1_002_500, 2_500]);
  });

  test("wakes sleepers in the order they are due, each at its own time", async () => {
    const clock = new FakeClock();
    const woken: string[] = [];
    const sleepThenTell = async (ms: number, name: string) => {
      await clock.sleep(ms);
      woken.push(`${name} at ${clock.monotonic()}`);
    };
    const all = [sleepThenTell(300, "late"), sleepThenTell(100, "early"), sleepThenTell(300, "later")];
    await clock.advance(299);
    expect(woken).toEqual(["early at 100"]);
    await clock.advance(1);
    expect(woken).toEqual(["early at 100", "late at 300", "later at 300"]);
    await Promise.all(all);
  });

  test("wakes one who sleeps again and again as often as is due", async () => {
    const clock = new FakeClock();
    const times: number[] = [];
    const stop = new AbortController();
    const loop = async () => {
      while (true) {
        await clock.sleep(1_000, stop.signal);
        times.push(clock.monotonic());
      }
    };
    const looping = loop();
    await clock.advance(3_500);
    expect(times).toEqual([1_000, 2_000, 3_000]);
    expect(clock.nextDueInMs).toBe(500);
    stop.abort(new Error("enough"));
    await expect(looping).rejects.toThrow("enough");
  });

  test("ends a sleep with the reason of its signal, before it or during it", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const reason = new Error("stopping");
    const sleeping = clock.sleep(1_000, stop.signal);
    stop.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    await expect(clock.sleep(1_000, stop.signal)).rejects.toBe(reason);
    expect(clock.sleeping).toBe(0);
  });

  test("can jump like a machine's wall clock, and wakes nobody by it", async () => {
    const clock = new FakeClock(1_000_000);
    const sleeping = clock.sleep(1_000);
    clock.jumpWallClock(-3_600_000);
    expect([clock.now(), clock.monotonic(), clock.sleeping]).toEqual([-2_600_000, 0, 1]);
    await clock.advance(1_000);
    await sleeping;
  });

  test("moves until something has come true, with real time for sockets and files in between", async () => {
    const clock = new FakeClock();
    let rounds = 0;
    const work = async () => {
      while (rounds < 3) {
        await delay(10);
        rounds++;
        await clock.sleep(60_000);
      }
    };
    const working = work();
    await clock.advanceUntil(() => rounds === 3, { what: "three rounds" });
    expect(clock.monotonic()).toBe(120_000);
    await clock.advance(60_000);
    await working;
  });

  test("gives up when something does not come true in time", async () => {
    const clock = new FakeClock();
    const loop = async () => {
      while (clock.monotonic() < 10_000) await clock.sleep(1_000);
    };
    const looping = loop();
    const giveUp = clock.advanceUntil(() => false, { what: "a miracle", withinMs: 5_000 });
    await expect(giveUp).rejects.toThrow("gave up waiting for a miracle after 5000 ms of the fake clock");
    await clock.advance(10_000);
    await looping;
  });

  test("waits for what the code is still busy with when its time is over, on a slow machine", async () => {
    const clock = new FakeClock();
    const sleeping = clock.sleep(60_000);
    let isDone = false;
    // Longer than any move of the clock waits: a timer is what a request has.
    const working = delay(700).then(() => (isDone = true));
    await clock.advanceUntil(() => isDone, { what: "the work", withinMs: 5_000 });
    expect(clock.monotonic()).toBeLessThanOrEqual(5_000);
    await working;
    await clock.advance(60_000);
    await sleeping;
  });
});

test("settling waits for what is busy with files, however slow", async () => {
  const clock = new FakeClock();
  let read = 0;
  const reading = (async () => {
    for (; read < 20; read += 1) await readFile(new URL(import.meta.url));
  })();
  await clock.settle();
  expect(read).toBe(20);
  await reading;
});
