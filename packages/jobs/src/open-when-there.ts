import { type Clock, type Logger, messageWithCauses } from "@qbit-sidecars/service";
import type { JobQueue } from "./contract.ts";
import { QueueOpenError } from "./errors.ts";
import { openQueue } from "./open-queue.ts";
import { type OpenQueueOptions } from "./queue-options.ts";

export type OpenWhenThereOptions = {
  readonly log: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Give up after so long; without it, never. */
  readonly withinMs?: number;
};

const wait = { firstMs: 500, longestMs: 15_000 } as const;

/**
 * Like `openQueue`, for a Redis that may start later than this program, or restart meanwhile. What waiting does not
 * cure (a wrong password counts as unreachable: it can be corrected) rejects at once, an abort with its reason.
 *
 * @throws QueueOpenError
 */
export async function openQueueWhenThere(
  options: OpenQueueOptions,
  { log, clock, signal, withinMs = Number.POSITIVE_INFINITY }: OpenWhenThereOptions,
): Promise<JobQueue> {
  const startedAt = clock.monotonic();
  let told: string | undefined;
  for (let pauseMs: number = wait.firstMs; ; pauseMs = Math.min(2 * pauseMs, wait.longestMs)) {
    signal.throwIfAborted();
    try {
      return await openQueue(options);
    } catch (error) {
      const isOver = clock.monotonic() - startedAt >= withinMs;
      if (!(error instanceof QueueOpenError) || error.fault !== "unreachable" || isOver) throw error;
      const message = messageWithCauses(error);
      // Once for each reason, and not every few seconds of an outage.
      log[message === told ? "debug" : "warn"](`the job queue is not there yet: ${message}`);
      told = message;
      await clock.sleep(pauseMs, signal);
    }
  }
}
