import type { Clock } from "./clock.ts";
import type { Closers } from "./closers.ts";
import { causes } from "./describe-error.ts";
import type { Logger } from "./log.ts";
import { SettingFault } from "./setting-fault.ts";
import type { StopRequests } from "./stop-requests.ts";
import { stopped } from "./stopped.ts";

type Ending = {
  /** The app's start, or a command. */
  run: () => Promise<void | number>;
  stop: StopRequests;
  closers: Closers;
  /** For all of the stopping. */
  graceMs: number;
  clock: Clock;
  log: Logger;
};

/** The closers' part of the grace period, whatever the app has used up before them. */
const CLOSERS_SHARE = 0.2;

/** Runs the app until it is done or asked to stop, then closes everything. Resolves to the exit code. */
export async function runToTheEnd(ending: Ending): Promise<number> {
  const { run, stop, clock, graceMs, log } = ending;
  const outcome = settle(run, ending);
  await Promise.race([outcome, stopped(stop.signal)]);
  // Also when the app ended by itself: what it has opened listens to this signal.
  stop.stop("the app is done");
  const timers = new AbortController();
  const code = await Promise.race([
    close(ending, outcome, timers.signal),
    clock.sleep(graceMs, timers.signal).then(() => undefined),
  ]);
  timers.abort();
  if (code !== undefined) return code;
  log.error({ unfinished: ending.closers.unfinished() }, `not closed within ${graceMs} ms, exiting anyway`);
  return 1;
}

/** Never rejects: the first error of the app is logged here and becomes an exit code. */
async function settle(run: () => Promise<void | number>, { stop, log }: Ending): Promise<number> {
  // Stopped before it began: a signal came while the settings were read.
  if (stop.signal.aborted) return 0;
  try {
    return (await run()) ?? 0;
  } catch (error) {
    // Whoever waited with the signal rejects with its reason when the stop begins: that is the normal end.
    if (stop.signal.aborted && causes(error).some((each) => each === stop.signal.reason || isAbort(each))) {
      return 0;
    }
    if (error instanceof SettingFault) {
      log.error(error.message);
      return 2;
    }
    log.fatal({ err: error }, "the app failed");
    return 1;
  }
}

async function close(ending: Ending, running: Promise<number>, signal: AbortSignal): Promise<number> {
  const { clock, graceMs, log, stop } = ending;
  const late = clock.sleep(graceMs * (1 - CLOSERS_SHARE), signal).catch(() => {});
  const outcome = await Promise.race([running, late]);
  if (outcome === undefined)
    log.error("the app does not return although it was asked to stop; closing under it");
  const closed = await disposed(ending);
  return outcome === undefined || !closed || stop.crashed ? 1 : outcome;
}

/** A closer that throws does not keep the others from running; all that was thrown is logged. */
async function disposed({ closers, log }: Ending): Promise<boolean> {
  try {
    await closers.disposeAsync();
    return true;
  } catch (error) {
    for (const each of suppressed(error)) log.error({ err: each }, "closing did not go well");
    return false;
  }
}

/** The errors in a chain of SuppressedError, in the order in which they were thrown. */
function suppressed(error: unknown): unknown[] {
  if (!(error instanceof SuppressedError)) return [error];
  return [...suppressed(error.suppressed), ...suppressed(error.error)];
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
