import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { afterFailure, type Asking } from "./after-failure.ts";
import type { Grant } from "./grant.ts";
import {
  PiaBusyError,
  PiaExpiredError,
  PiaLoginError,
  PiaNoTokenError,
  PiaRateLimitError,
  PiaRefusedError,
  PiaResponseError,
  PiaSignatureError,
  PiaUnauthorizedError,
  PiaUnreachableError,
} from "./pia-errors.ts";
import { nothingKnown, planPort, type PortPolicy, type PortState, renewalOf } from "./plan-port.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const now = Date.UTC(2026, 10, 20);
const policy: PortPolicy = { bindEveryMs: 5 * minuteMs, renewBeforeMs: 7 * dayMs, canLogIn: true };

const grant: Grant = { payload: "p", signature: "s", port: 51_813, expiresAtMs: now + 60 * dayMs };
const token = { value: "t", obtainedAtMs: now - hourMs, from: "login" as const };
const held: PortState = {
  ...nothingKnown,
  token,
  grant,
  boundAtMs: now - minuteMs,
  triedAtMs: now - 1000,
};
const rejected: PortState = { ...held, objection: { kind: "signature", times: 1 } };
const ending: PortState = { ...held, grant: { ...grant, expiresAtMs: now + 6 * dayMs } };

describe("what is next", () => {
  test.each<[string, PortState, object]>([
    ["nothing is known: a token", nothingKnown, { do: "get token" }],
    ["a token is there: a port", { ...nothingKnown, token }, { do: "get port", why: "there is none" }],
    [
      "a port is promised: bind it",
      { ...nothingKnown, token, successor: grant },
      { do: "bind", which: "successor" },
    ],
    ["a port was kept: bind it, without a token", { ...nothingKnown, grant }, { do: "bind", which: "grant" }],
    ["bound a minute ago: rest", held, { do: "rest" }],
    [
      "bound five minutes ago: bind",
      { ...held, boundAtMs: now - 5 * minuteMs },
      { do: "bind", which: "grant" },
    ],
    [
      "bound in the future, by a clock set back since: bind",
      { ...held, boundAtMs: now + hourMs },
      { do: "bind", which: "grant" },
    ],
    ["its end is near: another port", ending, { do: "get port", why: "its end is near" }],
    [
      "its end is near, but binding is due: bind first",
      { ...ending, boundAtMs: now - 5 * minuteMs },
      { do: "bind", which: "grant" },
    ],
    [
      "it has expired by this clock: PIA is asked all the same",
      { ...nothingKnown, grant: { ...grant, expiresAtMs: now - dayMs } },
      { do: "bind", which: "grant" },
    ],
    ["PIA calls it bad: another port", rejected, { do: "get port", why: "PIA does not bind it any more" }],
    [
      "PIA calls it bad, and asking is not due: the bad one once more",
      { ...rejected, triedAtMs: now - minuteMs, notBefore: { token: 0, port: now + hourMs } },
      { do: "bind", which: "grant" },
    ],
    [
      "it was busy once: bind it again",
      { ...held, objection: { kind: "busy", times: 1 } },
      { do: "bind", which: "grant" },
    ],
    [
      "it was busy twice: another port",
      { ...held, objection: { kind: "busy", times: 2 } },
      { do: "get port", why: "PIA does not bind it any more" },
    ],
    [
      "the token is old: another one, while the port is held",
      { ...held, token: { ...token, obtainedAtMs: now - 23 * hourMs } },
      { do: "get token" },
    ],
    [
      "the token is old and may not be replaced yet: rest",
      {
        ...held,
        token: { ...token, obtainedAtMs: now - 23 * hourMs },
        notBefore: { token: now + 1, port: 0 },
      },
      { do: "rest" },
    ],
    [
      "a port is needed, the token is old and may not be replaced: try it",
      {
        ...nothingKnown,
        token: { ...token, obtainedAtMs: now - 30 * hourMs },
        notBefore: { token: now + 1, port: 0 },
      },
      { do: "get port", why: "there is none" },
    ],
    [
      "neither may be asked for: wait",
      { ...nothingKnown, notBefore: { token: now + 3 * minuteMs, port: 0 } },
      { do: "wait", untilMs: now + 3 * minuteMs },
    ],
    [
      "the port before is still in use: bind it",
      { ...held, previous: { grant, boundAtMs: now - 5 * minuteMs } },
      { do: "bind", which: "previous" },
    ],
  ])("%s", (_what, state, action) => {
    expect(planPort(state, now, policy)).toEqual(action);
  });

  test("without a login the token in hand is used whatever its age", () => {
    const old = { ...token, obtainedAtMs: now - 30 * dayMs };
    expect(planPort({ ...held, token: old }, now, { ...policy, canLogIn: false })).toEqual({ do: "rest" });
  });
});

const errors = [
  new PiaUnreachableError("x"),
  new PiaUnauthorizedError("x"),
  new PiaLoginError("x"),
  new PiaNoTokenError("x"),
  new PiaRateLimitError("x"),
  new PiaSignatureError("x"),
  new PiaExpiredError("x"),
  new PiaBusyError("x"),
  new PiaRefusedError("x"),
  new PiaResponseError("x"),
];

const actions: readonly Asking[] = [
  { do: "get token" },
  { do: "get port", why: "there is none" },
  { do: "bind", which: "grant" },
  { do: "bind", which: "successor" },
  { do: "bind", which: "previous" },
];

describe("after any failure, whatever is known", () => {
  const states = fc.record(
    {
      token: fc.constantFrom(
        token,
        { ...token, from: "file" as const },
        { ...token, obtainedAtMs: now - 2 * dayMs },
      ),
      grant: fc.constantFrom(grant, { ...grant, expiresAtMs: now - dayMs }),
      successor: fc.constant({ ...grant, port: 2 }),
      previous: fc.constant({ grant: { ...grant, port: 3 }, boundAtMs: now - 4 * minuteMs }),
      boundAtMs: fc.integer({ min: now - hourMs, max: now + hourMs }),
      triedAtMs: fc.integer({ min: now - hourMs, max: now }),
      objection: fc.record({
        kind: fc.constantFrom("signature" as const, "expired" as const, "busy" as const, "refused" as const),
        times: fc.integer({ min: 1, max: 5 }),
      }),
      notBefore: fc.record({
        token: fc.integer({ min: now - hourMs, max: now + hourMs }),
        port: fc.integer({ min: now - hourMs, max: now + hourMs }),
      }),
      failures: fc.record({ token: fc.nat(50), port: fc.nat(50), unauthorized: fc.nat(50) }),
    },
    { requiredKeys: ["notBefore", "failures"] },
  );

  test("a port in hand is kept, nothing waits for more than six hours, and no failed step is planned for ever", () => {
    fc.assert(
      fc.property(
        states,
        fc.constantFrom(...errors),
        fc.array(fc.constantFrom(...actions), { minLength: 1, maxLength: 4 }),
        (start, error, did) => {
          const state = did.reduce<PortState>(
            (known, action) => afterFailure(known, action, { error, nowMs: now }),
            start as PortState,
          );
          expect(state.grant).toEqual(start.grant);
          for (const until of Object.values(state.notBefore))
            expect(until - now).toBeLessThanOrEqual(6 * hourMs);
          const next = planPort(state, now, policy);
          const untilMs = next.do === "wait" ? next.untilMs : now;
          expect(untilMs - now).toBeLessThanOrEqual(6 * hourMs);
        },
      ),
    );
  });
});

test("a login that is refused is tried again after 15 minutes, then ever less often, up to six hours", () => {
  let state = nothingKnown;
  const waits = [1, 2, 3, 4, 5, 6, 7].map(() => {
    state = afterFailure(state, { do: "get token" }, { error: new PiaLoginError("x"), nowMs: now });
    return (state.notBefore.token - now) / minuteMs;
  });
  expect(waits).toEqual([15, 30, 60, 120, 240, 360, 360]);
});

test.each([
  ["two months", 62 * dayMs, 55 * dayMs],
  ["three days", 3 * dayMs, 1.5 * dayMs],
  // This machine's clock is ahead: were it replaced at once, its successor would be as well, for ever.
  ["ten minutes", 10 * minuteMs, hourMs],
  ["no time at all", -40 * dayMs, dayMs],
])("a port that seems to have %s left is replaced no sooner than it helps", (_what, leftMs, afterMs) => {
  expect(renewalOf({ ...grant, expiresAtMs: now + leftMs }, now, policy) - now).toBe(afterMs);
});
