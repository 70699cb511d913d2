import { type Clock, type Logger, messageWithCauses } from "@qbit-sidecars/service";
import type { Handed } from "./hand-overs.ts";
import { type CleanupGroup, countIn, countOfTorrents, gigabytes } from "./plan-cleanup.ts";

export type DrainLimits = {
  /** Ends everything. */
  deadline: AbortSignal;
  /** False in the last part of its time: then only what is under way is to end. */
  mayBegin: () => boolean;
  /** It was drained before: a side that is away by now does not matter. */
  wasDrained: boolean;
};

/** What a drain came to. */
export type DrainOutcome = Handed & {
  /** Those that stay, and why. */
  left: { name: string; why: string }[];
};

/** What a drain is made of; see clean-up.ts. */
export type DrainSteps = {
  /** Why nothing can be handed over now. */
  whyNothing: () => string | undefined;
  /** Whether qBittorrent's list is known for long enough. */
  isSettled: () => boolean;
  /** Brings to an end what was begun before. */
  resume: (signal: AbortSignal) => Promise<void>;
  /** What can be handed over. */
  plan: (signal: AbortSignal) => Promise<readonly CleanupGroup[]>;
  /** @param total what is handed off is added to it */
  handOver: (groups: readonly CleanupGroup[], total: Handed, signal: AbortSignal) => Promise<void>;
  /** In place of handing over, in a dry run. */
  sayDryly: ((groups: readonly CleanupGroup[]) => void) | undefined;
  /** @param trouble what kept the drain from looking at them */
  left: (trouble: string) => DrainOutcome["left"];
  clock: Clock;
  log: Logger;
};

/** A drain gives up on a side that cannot be reached for so long, and at the second time at once. */
const unreachableMs = 30_000;

/** Looks and hands over, again and again, until nothing is left that was not tried or the time is over. */
export async function drainAll(limits: DrainLimits, steps: DrainSteps): Promise<DrainOutcome> {
  const { deadline, wasDrained } = limits;
  const { clock, log } = steps;
  const total = { handedOff: 0, freedBytes: 0 };
  const tried = new Set<string>();
  const startedAt = clock.monotonic();
  let failingSince: number | undefined;
  let trouble = "";
  while (!deadline.aborted) {
    try {
      const next = await whatIsNext(tried, limits, steps);
      failingSince = undefined;
      if (next.length === 0) break;
      await steps.handOver(next, total, deadline);
    } catch (error) {
      if (deadline.aborted) break;
      trouble = messageWithCauses(error);
      failingSince ??= clock.monotonic();
      const isTooLong = clock.monotonic() - failingSince >= (wasDrained ? 0 : unreachableMs);
      // A list that has to settle first does so by itself.
      if (isTooLong && steps.isSettled()) break;
      log.debug(`drain: waits: ${trouble}`);
      await clock.sleep(500, deadline).catch(() => {});
    }
  }
  const seconds = Math.round((clock.monotonic() - startedAt) / 1000);
  const late = deadline.aborted ? [`--drain-timeout after ${seconds} s`] : [];
  const reason = [...late, trouble].filter((words) => words !== "").join(": ");
  return { ...total, left: steps.left(reason) };
}

/** @returns groups of which something was not tried yet, and now is; none when the drain is over */
async function whatIsNext(
  tried: Set<string>,
  { deadline, mayBegin }: DrainLimits,
  { whyNothing, resume, plan, sayDryly, log }: DrainSteps,
): Promise<readonly CleanupGroup[]> {
  const why = whyNothing();
  if (why !== undefined) throw new Error(why);
  await resume(deadline);
  const groups = await plan(deadline);
  sayDryly?.(groups);
  const next = groups.filter(({ ids }) => ids.some((id) => !tried.has(id)));
  if (next.length === 0 || sayDryly !== undefined || !mayBegin()) return [];
  for (const { ids } of next) for (const id of ids) tried.add(id);
  const bytes = next.reduce((sum, { freesBytes }) => sum + freesBytes, 0);
  log.info(`drain: to be handed over: ${countOfTorrents(countIn(next))}, ${gigabytes(bytes)}`);
  return next;
}
