import { describe, expect, test } from "vitest";
import type { Listening } from "./plan-sync.ts";
import type { PortChange } from "@qbit-sidecars/service";
import type { PortReading } from "./read-port.ts";
import { type Listener, PortSync } from "./sync-port.ts";

const { signal } = new AbortController();
const empty: PortReading = { kind: "none", why: "the port file is empty", cleared: true };

/** A PortSync between a VPN and a qBittorrent that are plain values, at a time that stands still. */
function world(options: { onPortLost?: "keep" | "park"; reannounce?: boolean } = {}) {
  const state: {
    nowMs: number;
    reading: PortReading;
    listening: Listening;
    asked: string[];
    fails?: Error | undefined;
  } = {
    nowMs: 0,
    reading: empty,
    listening: { listenPort: 6881, randomPort: false, upnp: true, connection: "connected" },
    asked: [],
  };
  const listener: Listener = {
    observe: () => (state.fails ? Promise.reject(state.fails) : Promise.resolve({ ...state.listening })),
    listenOn({ port, disableUpnp, rebind }) {
      if (state.fails) return Promise.reject(state.fails);
      state.asked.push(`${rebind ? "rebind" : "set"} ${port}`);
      state.listening = { ...state.listening, listenPort: port, randomPort: false };
      if (disableUpnp) state.listening.upnp = false;
      return Promise.resolve();
    },
    reannounceActive() {
      if (state.fails) return Promise.reject(state.fails);
      state.asked.push("reannounce");
      return Promise.resolve();
    },
  };
  const sync = new PortSync({
    sources: { read: () => Promise.resolve(state.reading) },
    listener,
    policy: {
      onPortLost: options.onPortLost ?? "keep",
      parkPort: 49_152,
      disableUpnp: true,
      rebindAfterMs: 60_000,
    },
    lostAfterMs: 10_000,
    reannounce: options.reannounce ?? false,
    longestWaitMs: 60_000,
    clock: { now: () => state.nowMs, monotonic: () => state.nowMs },
  });
  const forward = (port: number, mark: string) =>
    (state.reading = { kind: "port", port, source: "file", mark });
  return { state, sync, forward, step: () => sync.step(signal) };
}

test("sets the forwarded port once and then leaves qBittorrent alone", async () => {
  const { state, forward, step } = world();
  forward(51_413, "a");
  expect(await step()).toEqual({ converged: true });
  expect(await step()).toEqual({ converged: true });
  expect(state.asked).toEqual(["set 51413"]);
  expect(state.listening).toMatchObject({ listenPort: 51_413, upnp: false });
});

test("puts back what somebody changed in qBittorrent", async () => {
  const { state, forward, step } = world();
  forward(51_413, "a");
  await step();
  state.listening = { ...state.listening, listenPort: 6881 };
  await step();
  expect(state.asked).toEqual(["set 51413", "set 51413"]);
});

test("takes the same port anew when it was announced again, once", async () => {
  const { state, forward, step } = world();
  forward(51_413, "a");
  await step();
  forward(51_413, "b");
  await step();
  await step();
  expect(state.asked).toEqual(["set 51413", "rebind 51413"]);
});

test("a rebind that failed is still owed", async () => {
  const { state, forward, step, sync } = world();
  forward(51_413, "a");
  await step();
  sync.askRebind();
  state.fails = new Error("down");
  await expect(step()).rejects.toThrow("down");
  state.fails = undefined;
  await step();
  expect(state.asked).toEqual(["set 51413", "rebind 51413"]);
});

test("makes a disconnected qBittorrent listen anew, ever less often while it does not help", async () => {
  const { state, forward, step } = world();
  forward(51_413, "a");
  await step();
  state.listening = { ...state.listening, connection: "disconnected" };
  const rebindsAt: number[] = [];
  for (state.nowMs = 0; state.nowMs <= 600_000; state.nowMs += 10_000) {
    const before = state.asked.length;
    await step();
    if (state.asked.length > before) rebindsAt.push(state.nowMs / 1000);
  }
  expect(rebindsAt).toEqual([60, 180, 420]);
});

describe("when the VPN forwards no port", () => {
  test("it is not converged, says why, and qBittorrent keeps its port", async () => {
    const { state, step } = world();
    expect(await step()).toEqual({ converged: false, reason: "the port file is empty" });
    expect(state.asked).toEqual([]);
  });

  test("under park, it comes back when the port counts as lost, parks once, and returns with the port", async () => {
    const { state, forward, step } = world({ onPortLost: "park" });
    forward(51_413, "a");
    await step();
    state.reading = empty;
    expect(await step()).toEqual({
      converged: false,
      reason: "the port file is empty",
      retryAfterMs: 10_000,
    });
    state.nowMs = 10_000;
    expect(await step()).toEqual({
      converged: false,
      reason: "the port file is empty; qBittorrent is parked on 49152",
    });
    expect(await step()).toMatchObject({ reason: "the port file is empty; qBittorrent is parked on 49152" });
    forward(51_413, "b");
    expect(await step()).toEqual({ converged: true });
    expect(state.asked).toEqual(["set 51413", "set 49152", "set 51413"]);
  });

  test("a port that returns is taken anew even if qBittorrent kept it", async () => {
    const { state, forward, step } = world();
    forward(51_413, "a");
    await step();
    state.reading = empty;
    await step();
    forward(51_413, "b");
    await step();
    expect(state.asked).toEqual(["set 51413", "rebind 51413"]);
  });
});

describe("reannouncing", () => {
  test("follows every change and nothing else", async () => {
    const { state, forward, step } = world({ reannounce: true });
    forward(51_413, "a");
    await step();
    await step();
    expect(state.asked).toEqual(["set 51413", "reannounce"]);
  });

  test("is still owed after it failed", async () => {
    const { state, forward, step, sync } = world({ reannounce: true });
    forward(51_413, "a");
    // The server goes away between the change and the reannouncing.
    sync.changes.onChange(() => (state.fails = new Error("down")));
    await expect(step()).rejects.toThrow("down");
    state.fails = undefined;
    expect(await step()).toEqual({ converged: true });
    expect(state.asked).toEqual(["set 51413", "reannounce"]);
  });
});

test("tells each change with what it was before", async () => {
  const { forward, step, sync } = world();
  const heard: PortChange[] = [];
  sync.changes.onChange((change) => heard.push(change));
  for (const port of [1, 2]) {
    forward(port, String(port));
    await step();
  }
  expect(heard).toHaveLength(2);
  expect(heard[0]).toMatchObject({ kind: "set", from: 6881, to: 1, why: "it listened on 6881" });
});
