import type { JobQueue } from "@qbit-sidecars/jobs";
import { type Loop, type Service, startLoop } from "@qbit-sidecars/service";

const hour = 3_600_000;

/** Removes jobs that ended long ago: at the start, and then every hour. */
export function cleanUp(
  queue: Pick<JobQueue, "removeEnded">,
  { olderThanMs, ...service }: Service & { olderThanMs: number },
): Loop {
  return startLoop({
    clock: service.clock,
    random: service.random,
    signal: service.signal,
    log: service.log,
    name: "clean-up",
    everyMs: Math.min(hour, olderThanMs),
    backoff: { minMs: 5000, maxMs: 600_000 },
    async step() {
      const removed = await queue.removeEnded({ olderThanMs });
      if (removed > 0) service.log.info({ removed }, "jobs that ended long ago were removed");
      return { converged: true };
    },
  });
}
