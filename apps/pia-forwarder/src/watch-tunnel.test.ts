import { FakeClock } from "@qbit-sidecars/testing";
import { expect, test } from "vitest";
import type { Host } from "./gateway.ts";
import { loopbackHost } from "./program.fixture.ts";
import { watchTunnel } from "./watch-tunnel.ts";

function watched() {
  const clock = new FakeClock();
  const machine = { index: "7", interfaces: loopbackHost.interfaces() };
  const told: string[] = [];
  const host: Host = {
    ...loopbackHost,
    interfaces: () => machine.interfaces,
    interfaceIndex: () => Promise.resolve(machine.index),
  };
  const watching = watchTunnel({ host, clock, everyMs: 5000, onChange: (why) => told.push(why) });
  return { clock, machine, told, watching };
}

test("a tunnel that was made anew is told once it is there, not while it is gone", async () => {
  const { clock, machine, told, watching } = watched();
  await using _ = watching;
  await clock.advance(60_000);
  machine.interfaces = {};
  await clock.advance(60_000);
  expect(told).toEqual([]);
  machine.interfaces = loopbackHost.interfaces();
  machine.index = "8";
  await clock.advance(5000);
  expect(told).toEqual(["the tunnel changed"]);
  await clock.advance(60_000);
  expect(told).toHaveLength(1);
});

test("sleep is told on waking, a corrected clock is not", async () => {
  const { clock, told, watching } = watched();
  await using _ = watching;
  await clock.advance(10_000);
  clock.jumpWallClock(20_000);
  await clock.advance(10_000);
  clock.jumpWallClock(-3_600_000);
  await clock.advance(10_000);
  expect(told).toEqual([]);
  clock.jumpWallClock(3_600_000);
  await clock.advance(5000);
  expect(told).toEqual(["the machine was asleep"]);
});
