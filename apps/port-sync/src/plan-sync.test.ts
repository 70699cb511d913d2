import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ForwardedPort } from "./follow-port.ts";
import { type Listening, type Past, planSync, type Policy } from "./plan-sync.ts";

const policy: Policy = { onPortLost: "keep", parkPort: 49152, disableUpnp: true, rebindAfterMs: 60_000 };
const forwarded: ForwardedPort = { port: 51413, source: "file", announcement: 1, lost: false, mark: "a" };
const listening: Listening = { listenPort: 51413, randomPort: false, upnp: false, connection: "connected" };
const past: Past = { syncedAnnouncement: 1, rebindAsked: false, vainRebinds: 0 };

type Changes = {
  forwarded?: Partial<ForwardedPort>;
  listening?: Partial<Listening>;
  policy?: Partial<Policy>;
  past?: Partial<Past>;
  nowMs?: number;
};

function plan(changes: Changes = {}) {
  return planSync({
    forwarded: { ...forwarded, ...changes.forwarded },
    listening: { ...listening, ...changes.listening },
    policy: { ...policy, ...changes.policy },
    past: { ...past, ...changes.past },
    nowMs: changes.nowMs ?? 0,
  });
}

test("nothing is done while both sides agree", () => {
  expect(plan()).toEqual({ change: "none", port: 51413 });
});

describe("what differs is set", () => {
  test("the port", () => {
    expect(plan({ listening: { listenPort: 6881 } })).toEqual({
      change: "set",
      port: 51413,
      why: "it listened on 6881",
    });
  });

  test("a random port at the next start, although the number is right today", () => {
    expect(plan({ listening: { randomPort: true } })).toMatchObject({ change: "set", port: 51413 });
  });

  test("UPnP, unless the user opted out", () => {
    expect(plan({ listening: { upnp: true } })).toMatchObject({ change: "set", why: "UPnP was on" });
    expect(plan({ listening: { upnp: true }, policy: { disableUpnp: false } })).toMatchObject({
      change: "none",
    });
  });
});

describe("the same port is taken anew", () => {
  test("when it was announced again", () => {
    expect(plan({ forwarded: { announcement: 2 } })).toMatchObject({
      change: "rebind",
      why: "announced again",
    });
  });

  test("when it was announced again and another setting differs as well", () => {
    expect(plan({ forwarded: { announcement: 2 }, listening: { upnp: true } })).toMatchObject({
      change: "rebind",
    });
  });

  test("when somebody asked", () => {
    expect(plan({ past: { rebindAsked: true } })).toMatchObject({ change: "rebind", why: "asked for" });
  });

  test("not at the first sync of a process, for a restart of port-sync is no new tunnel", () => {
    const { syncedAnnouncement: _, ...first } = past;
    expect(planSync({ forwarded, listening, policy, past: first, nowMs: 0 })).toMatchObject({
      change: "none",
    });
  });

  test("when qBittorrent has been disconnected for long, and each time in vain doubles the wait", () => {
    const disconnected = (nowMs: number, vainRebinds: number) =>
      plan({
        listening: { connection: "disconnected" },
        past: { disconnectedSinceMs: 0, vainRebinds },
        nowMs,
      }).change;
    expect([disconnected(59_999, 0), disconnected(60_000, 0)]).toEqual(["none", "rebind"]);
    expect([disconnected(119_999, 1), disconnected(120_000, 1)]).toEqual(["none", "rebind"]);
    expect([disconnected(1_799_999, 40), disconnected(1_800_000, 40)]).toEqual(["none", "rebind"]);
  });

  test("never for a disconnection when REBIND_AFTER is 0", () => {
    expect(
      plan({ past: { disconnectedSinceMs: 0 }, policy: { rebindAfterMs: 0 }, nowMs: 1e9 }),
    ).toMatchObject({ change: "none" });
  });
});

describe("without a forwarded port", () => {
  const gone = { why: "the port file is empty", clearedSinceMs: 0 };

  test("qBittorrent keeps what it has, whatever that is", () => {
    expect(plan({ forwarded: { ...gone, lost: true }, listening: { listenPort: 6881, upnp: true } })).toEqual(
      {
        change: "wait",
        why: "the port file is empty",
      },
    );
  });

  test("under `park` it is moved to the park port once the port counts as lost, and then left there", () => {
    const parking = { policy: { onPortLost: "park" } } as const;
    expect(plan({ ...parking, forwarded: { ...gone, lost: false } })).toMatchObject({ change: "wait" });
    expect(plan({ ...parking, forwarded: { ...gone, lost: true } })).toMatchObject({
      change: "set",
      port: 49152,
    });
    expect(
      plan({ ...parking, forwarded: { ...gone, lost: true }, listening: { listenPort: 49152 } }),
    ).toEqual({
      change: "wait",
      why: "the port file is empty; qBittorrent is parked on 49152",
    });
  });

  test("a rebind that was asked for waits for the port", () => {
    expect(plan({ forwarded: gone, past: { rebindAsked: true } })).toMatchObject({ change: "wait" });
  });
});

test("carrying a plan out ends planning: what it set is never set again", () => {
  fc.assert(
    fc.property(
      fc.record({
        listenPort: fc.integer({ min: 0, max: 65535 }),
        randomPort: fc.boolean(),
        upnp: fc.boolean(),
        announcement: fc.integer({ min: 1, max: 3 }),
        rebindAsked: fc.boolean(),
      }),
      ({ announcement, rebindAsked, ...actual }) => {
        const first = plan({ listening: actual, forwarded: { announcement }, past: { rebindAsked } });
        const after =
          first.change === "none" ? actual : { listenPort: 51413, randomPort: false, upnp: false };
        const second = plan({
          listening: after,
          forwarded: { announcement },
          past: { rebindAsked: false, syncedAnnouncement: announcement },
        });
        expect(second).toEqual({ change: "none", port: 51413 });
      },
    ),
  );
});
