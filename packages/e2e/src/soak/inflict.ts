import type { ShiftableClock } from "@qbit-sidecars/testing";
import type { AppName, LinkName } from "../pod-parts.ts";
import type { WholePod } from "../whole-pod.ts";
import type { Link } from "./link.ts";
import type { Fault, ServerTarget, Target } from "./plan-faults.ts";
import type { SmallDisk } from "./small-disk.ts";

/** What faults can be done to. */
export type Victims = {
  pod: WholePod;
  links: ReadonlyMap<LinkName, Link>;
  disks: ReadonlyMap<"home" | "state", SmallDisk>;
  clocks: ReadonlyMap<AppName, ShiftableClock>;
};

/** What can be killed and frozen. */
type Process = { kill(): Promise<void>; up(): Promise<void>; pause(): void; resume(): void };

/** Begins a fault. @returns what ends it */
export async function inflict(fault: Fault, victims: Victims): Promise<() => Promise<void>> {
  if (fault.kind === "cut") return await cut(fault, victims);
  if (fault.kind === "clock jump") return await shift(fault, victims);
  if (fault.kind === "disk full") {
    const disk = known(victims.disks.get(fault.target));
    await disk.fill();
    return () => disk.empty();
  }
  return await strike(fault, victims.pod);
}

async function shift(
  { target, byMs }: Fault & { kind: "clock jump" },
  { clocks }: Victims,
): Promise<() => Promise<void>> {
  const clock = known(clocks.get(target));
  await clock.shift(byMs);
  return () => clock.shift(0);
}

async function strike(
  { kind, target }: Fault & { kind: "kill" | "pause" },
  pod: WholePod,
): Promise<() => Promise<void>> {
  const one = processOf(target, pod);
  if (kind === "kill") {
    await one.kill();
    return () => one.up();
  }
  one.pause();
  return async () => one.resume();
}

async function cut(
  { target, how }: Fault & { kind: "cut" },
  { pod, links }: Victims,
): Promise<() => Promise<void>> {
  if (target === "pia") {
    await pod.pia.gateway.down();
    return () => pod.pia.gateway.up();
  }
  const link = known(links.get(target));
  await link.cut(how);
  return () => link.mend();
}

function processOf(target: Target, pod: WholePod): Process {
  if (isServer(target)) {
    const server = pod.servers[target];
    return {
      kill: () => server.kill(),
      up: () => server.start(),
      pause: () => server.pause(),
      resume: () => server.resume(),
    };
  }
  const app = pod.app(target);
  return {
    kill: () => app.kill(),
    up: async () => app.up(),
    pause: () => app.pause(),
    resume: () => app.resume(),
  };
}

function isServer(target: Target): target is ServerTarget {
  return target === "source" || target === "home" || target === "ntfy" || target === "redis";
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the soak has no such thing to break");
  return value;
}
