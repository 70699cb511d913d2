import { type Loop, type Service, startLoop } from "@qbit-sidecars/service";
import type { JobQueue } from "./contract.ts";

const hourMs = 3_600_000;

/**
 * Removes jobs that ended longer ago than `olderThanMs`, and sets right what of the index does not fit the records: at
 * once, then every hour. Harmless in several processes.
 */
export function keepTidy(
  queue: Pick<JobQueue, "removeEnded" | "repair">,
  {
    olderThanMs,
    log,
    clock,
    random,
    signal,
  }: Pick<Service, "log" | "clock" | "random" | "signal"> & { readonly olderThanMs: number },
): Loop {
  return startLoop({
    name: "tidy-queue",
    everyMs: Math.min(hourMs, olderThanMs),
    backoff: { minMs: 5_000, maxMs: 600_000 },
    log,
    clock,
    random,
    signal,
    async step() {
      const removed = await queue.removeEnded({ olderThanMs });
      if (removed > 0) log.info({ removed }, "jobs that ended long ago were removed");
      const { found } = await queue.repair();
      if (found.length > 0) log.warn({ found }, "the job queue was repaired");
      return { converged: true };
    },
  });
}
