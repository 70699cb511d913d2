import { setTimeout as later } from "node:timers/promises";
import { expect, test } from "vitest";
import { type DoctorCheck, ok, problem } from "./check.ts";
import { type Examined, runChecks } from "./run-checks.ts";

async function run(checks: DoctorCheck[], options: { signal?: AbortSignal; eachMs?: number } = {}) {
  const found: Examined[] = [];
  const { signal = new AbortController().signal } = options;
  for await (const examined of runChecks(checks, { ...options, signal })) found.push(examined);
  return found;
}

test("findings come in the order of the checks, however long each takes", async () => {
  const slow: DoctorCheck = { name: "slow", look: () => later(20, ok("at last")) };
  const found = await run([slow, { name: "quick", look: () => ok("at once") }]);
  expect(found).toEqual([
    { name: "slow", verdict: "ok", seen: "at last" },
    { name: "quick", verdict: "ok", seen: "at once" },
  ]);
});

test("what comes after something that is not well is not looked at", async () => {
  let looked = false;
  const [, second, third] = await run([
    { name: "first", look: () => problem("it is broken", "mend it") },
    { name: "second", after: ["first"], look: () => ((looked = true), ok("well")) },
    { name: "third", after: ["second"], look: () => ok("well") },
  ]);
  expect(looked).toBe(false);
  expect(second).toMatchObject({ verdict: "unknown", seen: 'it depends on "first"' });
  expect(third).toMatchObject({ verdict: "unknown", seen: 'it depends on "second"' });
});

test("a check that hangs is given up, and the others are not held up by it", async () => {
  const hang: DoctorCheck = { name: "hang", look: () => new Promise(() => {}) };
  const found = await run([hang, { name: "other", look: () => ok("well") }], { eachMs: 30 });
  expect(found).toMatchObject([{ verdict: "unknown", seen: "no answer within 0.03 s" }, { verdict: "ok" }]);
});

test("a check hears that its time is over, and what it then throws is not told", async () => {
  const [found] = await run([{ name: "slow", look: (signal) => later(60_000, ok("never"), { signal }) }], {
    eachMs: 30,
  });
  expect(found).toMatchObject({ verdict: "unknown", seen: "no answer within 0.03 s" });
});

test("what a check throws is unknown, with all causes", async () => {
  const cause = new Error("the disk is on fire");
  const look = () => {
    throw new Error("reading the file", { cause });
  };
  expect(await run([{ name: "odd", look }])).toMatchObject([
    { verdict: "unknown", seen: "reading the file: the disk is on fire" },
  ]);
});

test("stopping ends it", async () => {
  const stop = new AbortController();
  const look = async () => {
    stop.abort(new Error("SIGTERM"));
    return new Promise<never>(() => {});
  };
  await expect(run([{ name: "slow", look }], { signal: stop.signal })).rejects.toThrow("SIGTERM");
});

test("a check after one that does not exist is a mistake in the program", async () => {
  await expect(run([{ name: "a", after: ["b"], look: () => ok("well") }])).rejects.toThrow("comes before b");
});
