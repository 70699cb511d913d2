import { expect, test } from "vitest";
import { MemoryWatch } from "./memory.ts";

const minuteMs = 60_000;

/** Ten minutes of a process that grows, sampled every five seconds. */
function live(watch: MemoryWatch, life: { pid: number; from: number; mb: number; mbPerHour: number }): void {
  for (let ms = 0; ms <= 10 * minuteMs; ms += 5000) {
    const warmingUp = ms < minuteMs ? 30 * (ms / minuteMs) : 30;
    const bytes = (life.mb + warmingUp + (life.mbPerHour * ms) / 3_600_000) * 1e6;
    watch.record("app", life.pid, { atMs: life.from + ms, bytes });
  }
}

test("growth is told in MB an hour, the warm-up left out, over restarts that begin at another level", () => {
  const watch = new MemoryWatch();
  live(watch, { pid: 1, from: 0, mb: 20, mbPerHour: 6 });
  live(watch, { pid: 2, from: 10 * minuteMs, mb: 80, mbPerHour: 6 });
  const [line] = watch.lines();
  expect(line?.slopeMbPerHour).toBeCloseTo(6, 3);
  expect(line?.peakMb).toBeCloseTo(111, 3);
  expect(line?.observedMinutes).toBeCloseTo(18);
});

test("of a process that never lived long nothing is claimed", () => {
  const watch = new MemoryWatch();
  for (let pid = 1; pid < 20; pid += 1) watch.record("app", pid, { atMs: pid * 30_000, bytes: pid * 1e6 });
  expect(watch.lines()[0]?.slopeMbPerHour).toBeUndefined();
});
