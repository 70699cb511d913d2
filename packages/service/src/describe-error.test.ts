import { expect, test } from "vitest";

import { describeError, messageWithCauses } from "./describe-error.ts";

class QbitError extends Error {}

test("tells the whole chain of causes in one message", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:8080"), { code: "ECONNREFUSED" });
  const error = new QbitError("reading the preferences", { cause: refused });
  expect(describeError(error)).toEqual({
    type: "QbitError",
    message: "reading the preferences: connect ECONNREFUSED 127.0.0.1:8080",
  });
});

test("does not repeat a cause that is quoted already, and survives a circle", () => {
  const cause: Error = new Error("refused");
  const error = new Error("asking gluetun: refused", { cause });
  cause.cause = error;
  expect(messageWithCauses(error)).toBe("asking gluetun: refused");
});

test("shows the stack of a mistake in the program, with those of its causes", () => {
  const { stack } = describeError(new TypeError("x is not a function", { cause: new RangeError("7") }));
  expect(stack).toContain("describe-error.test.ts");
  expect(stack).toContain("\ncaused by: RangeError: 7");
});

test("keeps codes and numbers of an error, but not the request that hangs on it", () => {
  const request = { headers: { cookie: "SID=secret" } };
  const error = Object.assign(new QbitError("no"), {
    code: "EX",
    retryAfterMs: 5,
    request,
    response: { request },
  });
  expect(describeError(error)).toEqual({ type: "QbitError", message: "no", code: "EX", retryAfterMs: 5 });
});

test("describes each error of an AggregateError", () => {
  const error = new AggregateError([new QbitError("one"), "two"], "all failed");
  expect(describeError(error).errors).toEqual([
    { type: "QbitError", message: "one" },
    { type: "string", message: "two" },
  ]);
});

test.each([
  ["a text", "broken", "broken"],
  ["nothing", undefined, "undefined"],
  ["an object", { code: 7 }, '{"code":7}'],
  ["a big number", 7n, "[object BigInt]"],
])("describes %s that was thrown instead of an error", (_, thrown, message) => {
  expect(describeError(thrown).message).toBe(message);
});
