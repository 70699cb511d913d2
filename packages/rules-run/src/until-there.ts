import type { Clock } from "@qbit-sidecars/service";

export type LookingOut = {
  /** Between looks; the last one is that between all further ones. */
  readonly everyMs: readonly number[];
  /** After so long it ends without. */
  readonly mostMs: number;
};

export const lookingOutDefaults = { everyMs: [5_000, 30_000], mostMs: 3_600_000 } as const;

export type UntilThereOptions = LookingOut & {
  /** One small question. */
  readonly isThere: (signal: AbortSignal) => Promise<boolean>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/**
 * Asks whether qBittorrent is there, at once and then now and then, until it is, the time is over or the signal aborts.
 * One look stands for all jobs that wait, however many they are. `looks`: how often it was away.
 */
export async function untilThere({
  isThere,
  clock,
  signal,
  everyMs,
  mostMs,
}: UntilThereOptions): Promise<{ isThere: boolean; looks: number }> {
  const endMs = clock.monotonic() + mostMs;
  try {
    for (let looks = 0; ; looks += 1) {
      if (await isThere(signal)) return { isThere: true, looks };
      const leftMs = endMs - clock.monotonic();
      if (leftMs <= 0) return { isThere: false, looks };
      await clock.sleep(Math.min(leftMs, everyMs[looks] ?? everyMs.at(-1) ?? mostMs), signal);
    }
  } catch {
    // Stopped, or a fault of the looking itself: the next run finds out, and tells.
    return { isThere: false, looks: 0 };
  }
}
