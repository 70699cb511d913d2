import { expect, test } from "vitest";

import { Closers } from "./closers.ts";

test("closes in the reverse order of opening, each once, whatever way it was registered", async () => {
  const closed: string[] = [];
  const closers = new Closers();
  closers.defer(() => void closed.push("deferred"));
  closers.use({ [Symbol.asyncDispose]: async () => void closed.push("used") });
  closers.use({ [Symbol.dispose]: () => void closed.push("used, synchronous") });
  closers.adopt("adopted", (value) => void closed.push(value));
  closers.use(undefined);
  await closers.disposeAsync();
  await closers.disposeAsync();
  expect(closed).toEqual(["adopted", "used, synchronous", "used", "deferred"]);
});

test("names what is not closed yet, the one being closed first", async () => {
  class Database {
    [Symbol.asyncDispose] = () => Promise.resolve();
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  const closers = new Closers();
  closers.use(new Database());
  closers.defer(function forgetLease() {});
  closers.use({ name: "health listener", [Symbol.asyncDispose]: () => promise });
  closers.defer(() => {});
  expect(closers.unfinished()).toEqual(["unnamed", "health listener", "forgetLease", "Database"]);
  const closing = closers.disposeAsync();
  await expect.poll(() => closers.unfinished()).toEqual(["health listener", "forgetLease", "Database"]);
  resolve();
  await closing;
  expect(closers.unfinished()).toEqual([]);
});

test("a closer that throws does not keep the others from running", async () => {
  const closed: string[] = [];
  const closers = new Closers();
  closers.defer(() => void closed.push("first"));
  closers.defer(() => Promise.reject(new Error("second")));
  await expect(closers.disposeAsync()).rejects.toMatchObject({
    message: 'closing "unnamed"',
    cause: { message: "second" },
  });
  expect(closed).toEqual(["first"]);
  expect(closers.unfinished()).toEqual([]);
});

test("hands back what it is given, so that opening and registering are one expression", () => {
  const closers = new Closers();
  const value = { [Symbol.dispose]: () => {} };
  expect(closers.use(value)).toBe(value);
  expect(closers.adopt(7, () => {})).toBe(7);
});
