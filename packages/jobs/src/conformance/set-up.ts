import { FakeClock } from "@qbit-sidecars/testing";
import type { Job, JobQueue, Run } from "../contract.ts";
import { hashOf, type StoreUnderTest } from "../queue-model.ts";
import type { QueueOptions } from "../queue-options.ts";

/** When every test's clock starts. */
export const startedAt = Date.UTC(2025, 11, 13, 10);

/** Opens a queue on a store of its own, and both end with the test. */
export type SetUp = ReturnType<typeof setUpWith>;

export function setUpWith(makeStore: () => Promise<StoreUnderTest>) {
  return async (options: QueueOptions = {}) => {
    const store = await makeStore();
    const clock = new FakeClock(startedAt);
    const queue = await store.open({ clock, ...options });
    return {
      store,
      clock,
      queue,
      async [Symbol.asyncDispose]() {
        await queue[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
      },
    };
  };
}

/** The next run, within 20 s. */
export async function take(queue: JobQueue): Promise<Run> {
  return await queue.take({ signal: AbortSignal.timeout(20_000) });
}

/** Ends all jobs of a run alike. */
export async function settleAll(
  run: Run,
  outcome: Parameters<Run["settle"]>[0][number]["outcome"],
): Promise<void> {
  await run.settle(run.jobs.map(({ id }) => ({ id, outcome })));
}

/** Ends all jobs of a run well. */
export async function completeAll(run: Run): Promise<void> {
  await settleAll(run, { kind: "completed", result: {} });
}

/** So many jobs, each about a torrent of its own. */
export async function askFor(queue: JobQueue, count: number): Promise<Job[]> {
  const jobs: Job[] = [];
  for (let n = 0; n < count; n += 1) jobs.push((await queue.enqueue({ context: "x", hash: hashOf(n) })).job);
  return jobs;
}

/** Whether a promise is neither kept nor broken after so much real time. */
export async function pendingAfter(promise: Promise<unknown>, realMs: number): Promise<boolean> {
  const late = new Promise<"late">((resolve) => setTimeout(() => resolve("late"), realMs));
  return (await Promise.race([promise.catch(() => {}), late])) === "late";
}
