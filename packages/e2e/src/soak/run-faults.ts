import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { appNames } from "../pod-parts.ts";
import { inflict, type Victims } from "./inflict.ts";
import { describeFault, type Fault, type FaultKind, faultKinds } from "./plan-faults.ts";

/** How long after its end all apps said that they do their job again. */
export type Recovery = { fault: string; kind: FaultKind; ms: number; slowest: string };

export type FaultRun = {
  victims: Victims;
  plan: Iterator<Fault, never>;
  /** No fault begins after that, but each kind comes as often as `leastOfEach`. */
  forMs: number;
  leastOfEach: number;
  log: (text: string) => void;
  signal: AbortSignal;
};

const patienceMs = 90_000;

/**
 * One fault after the other, each when the pod has recovered from the one before.
 *
 * @throws Error when an app does not say that it is ready again
 */
export async function runFaults({
  victims,
  plan,
  forMs,
  leastOfEach,
  log,
  signal,
}: FaultRun): Promise<Recovery[]> {
  const recoveries: Recovery[] = [];
  const startedAt = performance.now();
  const isEnough = () =>
    performance.now() - startedAt >= forMs &&
    faultKinds.every((kind) => recoveries.filter((one) => one.kind === kind).length >= leastOfEach);
  while (!isEnough() && !signal.aborted) {
    const fault = plan.next().value;
    await pause(fault.afterMs, signal);
    if (signal.aborted) break;
    const end = await inflict(fault, victims);
    // Ended even when the person has had enough: what is frozen could not stop.
    await pause(fault.lastsMs, signal);
    await end();
    const recovery = await recovered(fault, victims, signal);
    log(`${describeFault(fault)}; all ready ${seconds(recovery.ms)} later, last ${recovery.slowest}`);
    recoveries.push(recovery);
  }
  return recoveries;
}

async function recovered(fault: Fault, { pod }: Victims, signal: AbortSignal): Promise<Recovery> {
  const endedAt = performance.now();
  let slowest = "none";
  while (!signal.aborted) {
    const ready = await Promise.all(appNames.map((name) => pod.isReady(name)));
    const behind = appNames.filter((_, index) => !ready[index]);
    const ms = performance.now() - endedAt;
    if (behind.length === 0) return { fault: describeFault(fault), kind: fault.kind, ms, slowest };
    slowest = behind.join(", ");
    if (ms > patienceMs)
      throw new Error(`${slowest} not ready ${seconds(ms)} after: ${describeFault(fault)}`);
    await pause(200, signal);
  }
  return { fault: describeFault(fault), kind: fault.kind, ms: performance.now() - endedAt, slowest };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
