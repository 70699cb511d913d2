import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";

export type WaitForOptions = {
  /** What is waited for, as the end of "gave up waiting for …". */
  what: string;
  /** Real time, default 10 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
};

type Look<T> = { value: T } | { error: unknown };

const wait = { firstMs: 5, longestMs: 100 };

/**
 * Asks `condition` again and again, at growing intervals of at most 100 ms, until its answer is truthy, and returns
 * that answer. A condition that throws is not met yet.
 *
 * @throws Error after `timeoutMs`, saying `what` was waited for and the last answer (or, as `cause`, what it threw).
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, timeoutMs = 10_000, signal }: WaitForOptions,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let pauseMs = wait.firstMs;
  let last: Look<T> = { error: new Error("the condition did not answer") };
  while (true) {
    const seen = await lookOnce(condition, deadline);
    // A look that the deadline cut off says less than the one before it.
    last = seen ?? last;
    if ("value" in last && last.value) return last.value;
    if (performance.now() >= deadline) throw gaveUp(what, timeoutMs, last);
    await delay(
      Math.min(pauseMs, Math.max(1, deadline - performance.now())),
      undefined,
      signal && { signal },
    );
    pauseMs = Math.min(pauseMs * 2, wait.longestMs);
  }
}

/** @returns undefined when there was no answer before the deadline: a condition must not outlive it either */
async function lookOnce<T>(condition: () => T | Promise<T>, deadline: number): Promise<Look<T> | undefined> {
  const timer = new AbortController();
  const late = delay(Math.max(1, deadline - performance.now()), undefined, { signal: timer.signal });
  late.catch(() => {});
  try {
    return await Promise.race([Promise.resolve(condition()).then((value) => ({ value })), late]);
  } catch (error) {
    return { error };
  } finally {
    timer.abort();
  }
}

function gaveUp(what: string, timeoutMs: number, last: Look<unknown>): Error {
  const message = `gave up waiting for ${what} after ${timeoutMs} ms`;
  if ("error" in last) return new Error(`${message}: ${String(last.error)}`, { cause: last.error });
  return new Error(`${message}; the last answer was ${inspect(last.value, { depth: 4 })}`);
}
