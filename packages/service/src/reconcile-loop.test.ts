import { FakeClock } from "@qbit-sidecars/testing";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createMetrics } from "./metrics.ts";
import { startLoop } from "./reconcile-loop.ts";
import type { Loop, LoopOptions, StepContext, StepResult } from "./reconcile-loop.ts";
import { memoryLog } from "./test-log.ts";

type Step = LoopOptions["step"];

const converged: Step = () => Promise.resolve({ converged: true });
const failing: Step = () => Promise.reject(new Error("qBittorrent does not answer"));

let clock: FakeClock;
let stop: AbortController;

beforeEach(() => {
  clock = new FakeClock();
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await clock.advance(0);
  if (clock.sleeping > 0) throw new Error("the test left a wait open");
});

async function start(step: Step, options: Partial<LoopOptions> = {}) {
  const { log, lines } = await memoryLog("debug");
  const shown = (level: string) => lines.filter((line) => line.level === level).map(({ msg }) => msg);
  const metrics = createMetrics({ name: "test", version: "1" });
  const loop = startLoop({
    name: "sync",
    everyMs: 60_000,
    clock,
    random: () => 0.5,
    signal: stop.signal,
    log,
    metrics,
    step,
    ...options,
  });
  return { loop, lines, shown, metrics };
}

/** A step that runs until the test lets it go on; remembers the contexts it was given. */
function heldStep() {
  const runs: (StepContext & { finish: (result?: StepResult) => void; fail: (error: Error) => void })[] = [];
  const step: Step = (context) =>
    new Promise((resolve, reject) => {
      runs.push({ ...context, finish: (result = { converged: true }) => resolve(result), fail: reject });
    });
  return { runs, step };
}

describe("waking", () => {
  test("the first step runs at once, and later ones each time the interval is over", async () => {
    const reasons: string[] = [];
    await start(({ reason }) => {
      reasons.push(reason);
      return Promise.resolve({ converged: true });
    });
    await clock.advance(0);
    expect(reasons).toEqual(["start"]);
    await clock.advance(59_999);
    expect(reasons).toEqual(["start"]);
    await clock.advance(1);
    expect(reasons).toEqual(["start", "timer"]);
  });

  test("an event runs a step without waiting for the interval", async () => {
    const { runs, step } = heldStep();
    const { loop } = await start(step);
    await clock.advance(0);
    runs[0]?.finish();
    await clock.advance(10);
    loop.wake("the port file changed");
    await clock.advance(0);
    expect(runs.map(({ reason }) => reason)).toEqual(["start", "the port file changed"]);
    runs[1]?.finish();
  });

  test("any number of events during a step ask for exactly one further step", async () => {
    const { runs, step } = heldStep();
    const { loop } = await start(step);
    await clock.advance(0);
    for (let nth = 1; nth <= 5; nth++) loop.wake(`event ${nth}`);
    expect(runs).toHaveLength(1);
    expect(runs[0]?.signal.aborted).toBe(false);
    runs[0]?.finish();
    await clock.advance(0);
    expect(runs.map(({ reason }) => reason)).toEqual(["start", "event 5"]);
    runs[1]?.finish();
    await clock.advance(59_999);
    expect(runs).toHaveLength(2);
  });

  test("a newer desired state aborts the running step and starts over at once", async () => {
    const { runs, step } = heldStep();
    const { loop, shown } = await start(step);
    await clock.advance(0);
    loop.wake("port 2", { supersede: true });
    expect(runs[0]?.signal.aborted).toBe(true);
    runs[0]?.fail(new Error("aborted half way"));
    await clock.advance(0);
    expect(runs[1]?.reason).toBe("port 2");
    expect(runs[1]?.signal.aborted).toBe(false);
    expect(loop.status().failures).toBe(0);
    expect(shown("warn")).toEqual([]);
    runs[1]?.finish();
  });

  test("what a superseded step has reached does not count as converged", async () => {
    const { runs, step } = heldStep();
    const { loop } = await start(step);
    await clock.advance(0);
    loop.wake("port 2", { supersede: true });
    runs[0]?.finish();
    await clock.advance(0);
    expect(loop.status()).toMatchObject({ converged: false, running: true });
    runs[1]?.finish();
    await clock.advance(0);
    expect(loop.status()).toMatchObject({ converged: true, running: false });
  });

  test("settled waits for the step that was asked for during the running one", async () => {
    const { runs, step } = heldStep();
    const { loop } = await start(step);
    await clock.advance(0);
    loop.wake("again");
    let settled = false;
    const waiting = loop.settled().then(() => (settled = true));
    runs[0]?.finish();
    await clock.advance(0);
    expect(settled).toBe(false);
    runs[1]?.finish({ converged: false, reason: "no port yet" });
    await waiting;
    expect(loop.status()).toMatchObject({ converged: false, reason: "no port yet" });
  });
});

describe("backoff", () => {
  test("waits a random part of a doubling time up to the maximum, and never gives up", async () => {
    const waits: number[] = [];
    const { lines } = await start(failing, { random: () => 1, backoff: { minMs: 1000, maxMs: 30_000 } });
    await clock.advance(24 * 3_600_000);
    for (const { retryInMs } of lines) if (typeof retryInMs === "number") waits.push(retryInMs);
    expect(waits.slice(0, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(waits.length).toBeGreaterThan(2800);
  });

  test("an event ends the wait at once and starts the backoff from its beginning", async () => {
    let steps = 0;
    const { loop, lines } = await start(
      () => {
        steps += 1;
        return Promise.reject(new Error("refused"));
      },
      { random: () => 1 },
    );
    await clock.advance(40_000);
    const before = steps;
    loop.wake("the server is back, they say");
    await clock.advance(0);
    expect(steps).toBe(before + 1);
    expect(lines.at(-1)).toMatchObject({ retryInMs: 1000 });
  });

  test("an error that says how long to wait is not retried sooner", async () => {
    const banned = Object.assign(new Error("banned"), { retryAfterMs: 3_600_000 });
    let steps = 0;
    await start(() => {
      steps += 1;
      return Promise.reject(banned);
    });
    await clock.advance(3_599_999);
    expect(steps).toBe(1);
    await clock.advance(1);
    expect(steps).toBe(2);
  });

  test("a state that is not converged is looked at again when it says so, by default with the interval", async () => {
    const results: StepResult[] = [
      { converged: false, reason: "busy", retryAfterMs: 500 },
      { converged: false, reason: "no port" },
      { converged: true },
    ];
    const at: number[] = [];
    await start(() => {
      at.push(clock.monotonic());
      return Promise.resolve(results[at.length - 1] ?? { converged: true });
    });
    await clock.advance(100_000);
    expect(at).toEqual([0, 500, 60_500]);
  });
});

describe("telling", () => {
  test("an hour of the same failure is one warning, and its end is one line with count and time", async () => {
    let down = true;
    const { shown } = await start((context) => (down ? failing(context) : converged(context)), {
      backoff: { minMs: 1000, maxMs: 60_000 },
    });
    await clock.advance(3_600_000);
    expect(shown("warn")).toEqual(["sync failed, trying again until it works"]);
    expect(shown("debug").length).toBeGreaterThan(100);
    down = false;
    await clock.advance(60_000);
    expect(shown("info")).toHaveLength(1);
    expect(shown("info")[0]).toMatch(/^sync recovered after 1\d\d failures in 36\d\d s$/);
  });

  test("two failures that alternate are two warnings, not one at every change", async () => {
    let steps = 0;
    const { lines } = await start(() => Promise.reject(new Error(steps++ % 2 ? "refused" : "timed out")));
    await clock.advance(600_000);
    const warnings = lines.filter(({ level }) => level === "warn");
    expect(warnings).toMatchObject([{ err: { message: "timed out" } }, { err: { message: "refused" } }]);
  });

  test("messages that differ every time cannot flood the log", async () => {
    let word = "a";
    const { shown } = await start(() => Promise.reject(new Error(`request ${(word += "a")} failed`)));
    await clock.advance(3_600_000);
    expect(shown("warn")).toHaveLength(20);
  });

  test("a message in which only numbers differ, such as a countdown, is told once", async () => {
    let seconds = 3600;
    const { shown } = await start(() => Promise.reject(new Error(`the next try is in ${seconds--} s`)));
    await clock.advance(3_600_000);
    expect(shown("warn")).toHaveLength(1);
  });

  test("a failure that comes back after a recovery is told again", async () => {
    const outcomes = [failing, converged, failing];
    const { shown } = await start((context) => (outcomes.shift() ?? converged)(context), { everyMs: 1000 });
    await clock.advance(10_000);
    expect(shown("warn")).toHaveLength(2);
    expect(shown("info")).toEqual([
      "sync recovered after 1 failure in 1 s",
      "sync recovered after 1 failure in 1 s",
    ]);
  });

  test("a reason for not being converged is told when it appears and when it is gone", async () => {
    let reason: string | undefined = "the port file is empty";
    const { loop, shown } = await start(() =>
      Promise.resolve(reason === undefined ? { converged: true } : { converged: false, reason }),
    );
    await clock.advance(600_000);
    reason = undefined;
    loop.wake("the port file changed");
    await clock.advance(600_000);
    expect(shown("warn")).toEqual(["sync not converged: the port file is empty"]);
    expect(shown("info")).toEqual(["sync converged"]);
  });

  test("the status says what is the matter, since when it works and how often it failed", async () => {
    const { loop } = await start(failing, { random: () => 1 });
    expect(loop.status()).toEqual({ converged: false, reason: "not run yet", failures: 0, running: true });
    await clock.advance(1000);
    expect(loop.status()).toEqual({
      converged: false,
      reason: "qBittorrent does not answer",
      failures: 2,
      running: false,
      lastStepAt: clock.now(),
    });
  });

  test("metrics count the steps by outcome and show the last success", async () => {
    const outcomes = [failing, converged];
    const { metrics } = await start((context) => (outcomes.shift() ?? converged)(context));
    await clock.advance(1000);
    const text = await metrics.registry.metrics();
    expect(text).toContain('reconcile_steps_total{loop="sync",outcome="failed"} 1');
    expect(text).toContain('reconcile_steps_total{loop="sync",outcome="converged"} 1');
    expect(text).toContain('reconcile_converged{loop="sync"} 1');
    const success = /reconcile_last_success_timestamp_seconds\{loop="sync"\} (\S+)/.exec(text)?.[1];
    expect(Number(success)).toBe((clock.now() - 500) / 1000);
  });
});

describe("stopping", () => {
  test("the running step is told, and disposing waits for it", async () => {
    const { runs, step } = heldStep();
    const { loop, shown } = await start(step);
    await clock.advance(0);
    let closed = false;
    const closing = loop[Symbol.asyncDispose]().then(() => (closed = true));
    await clock.advance(0);
    expect(runs[0]?.signal.aborted).toBe(true);
    expect(closed).toBe(false);
    runs[0]?.fail(new Error("aborted"));
    await closing;
    expect(shown("warn")).toEqual([]);
    loop.wake("too late");
    await clock.advance(600_000);
    expect(runs).toHaveLength(1);
  });

  test("the service's signal ends a waiting loop", async () => {
    const { loop } = await start(converged);
    await clock.advance(0);
    stop.abort();
    await loop[Symbol.asyncDispose]();
    expect(clock.sleeping).toBe(0);
    await expect(loop.settled()).resolves.toMatchObject({ converged: true });
  });

  test("a loop whose service is stopping already runs no step", async () => {
    stop.abort();
    const { runs, step } = heldStep();
    const { loop } = await start(step);
    await loop[Symbol.asyncDispose]();
    expect(runs).toHaveLength(0);
  });

  test("a step that hangs makes the loop count as dead once the bound is passed, and alive when it ends", async () => {
    const { runs, step } = heldStep();
    const { loop } = await start(step, { hangAfterMs: 30_000 });
    await clock.advance(30_000);
    expect(loop.alive()).toMatchObject({ ok: true });
    await clock.advance(1);
    expect(loop.alive()).toEqual({ ok: false, detail: "a step has been running for 30 s" });
    runs[0]?.finish();
    await clock.advance(0);
    expect(loop.alive()).toEqual({ ok: true, detail: "waiting" });
  });
});

type Action =
  | { do: "wake"; supersede: boolean }
  | { do: "advance"; ms: number }
  | { do: "finish"; how: "converged" | "not converged" | "failed" };

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant("wake" as const), supersede: fc.boolean() }),
  fc.record({ do: fc.constant("advance" as const), ms: fc.integer({ min: 0, max: 90_000 }) }),
  fc.record({
    do: fc.constant("finish" as const),
    how: fc.constantFrom("converged" as const, "not converged" as const, "failed" as const),
  }),
);

describe("whatever happens in whatever order", () => {
  const backoff = { minMs: 100, maxMs: 5000 };

  function withinBounds(waitMs: number, failures: number): boolean {
    if (failures === 0) return waitMs === 60_000;
    return waitMs >= 0 && waitMs <= Math.min(backoff.maxMs, backoff.minMs * 2 ** (failures - 1));
  }

  /** Plays the actions on a loop and checks after each of them. */
  async function play(actions: Action[], randoms: number[]): Promise<void> {
    const fake = new FakeClock();
    const abort = new AbortController();
    const { log } = await memoryLog();
    let running = 0;
    let wakes = 0;
    /** How many wakes the newest step knows of. */
    let seen = 0;
    let endStep: ((how: string) => void) | undefined;
    let failures = 0;
    let draws = 0;
    // Noted and checked later: what the loop calls must not throw, since it would take that for a failed step.
    let mostAtOnce = 0;
    const waits: { ms: number; failures: number }[] = [];
    const loop: Loop = startLoop({
      name: "any",
      everyMs: 60_000,
      backoff,
      clock: {
        now: fake.now,
        monotonic: fake.monotonic,
        sleep: (ms, signal) => {
          waits.push({ ms, failures });
          return fake.sleep(ms, signal);
        },
      },
      random: () => randoms[draws++ % randoms.length] ?? 0,
      signal: abort.signal,
      log,
      step: async () => {
        running += 1;
        mostAtOnce = Math.max(mostAtOnce, running);
        seen = wakes;
        const how = await new Promise<string>((resolve) => (endStep = resolve));
        running -= 1;
        if (how === "failed") failures += 1;
        else failures = 0;
        if (how === "failed") throw new Error("failed");
        return how === "converged" ? { converged: true } : { converged: false, reason: how };
      },
    });

    await fake.advance(0);
    for (const each of actions) {
      if (each.do === "wake") {
        wakes += 1;
        loop.wake("event", { supersede: each.supersede });
      } else if (each.do === "advance") await fake.advance(each.ms);
      else endStep?.(each.how);
      await fake.advance(0);
      expect(running + fake.sleeping, "either a step or one wait").toBe(1);
      expect(fake.sleeping === 0 || seen === wakes, "a step after the last wake").toBe(true);
    }
    expect(waits.filter(({ ms, failures: before }) => !withinBounds(ms, before))).toEqual([]);
    expect(mostAtOnce).toBe(1);
    abort.abort();
    endStep?.("converged");
    await loop[Symbol.asyncDispose]();
    expect(fake.sleeping).toBe(0);
  }

  test("one step at a time, a step after the last wake, and waits within the bounds of full jitter", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 }),
        play,
      ),
      { numRuns: 200 },
    );
  }, 30_000);
});
