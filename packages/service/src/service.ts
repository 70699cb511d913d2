import type { Clock } from "./clock.ts";
import { Closers } from "./closers.ts";
import { Health } from "./health.ts";
import type { Logger } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";

/** What runService hands to an app. */
export type Service = {
  readonly name: string;
  readonly version: string;
  readonly log: Logger;
  /** Aborts when the service is to stop. Every wait takes it. */
  readonly signal: AbortSignal;
  /**
   * Registers work that SIGTERM or SIGINT waits for before `signal` aborts. The grace period begins after it, so it
   * has to have a limit of its own.
   *
   * @param what for people: what is waited for
   */
  readonly beforeStop: (what: string, work: () => Promise<void>) => void;
  /** Whatever opens something registers its closer here; closed in reverse, once, when the app is done. */
  readonly closers: AsyncDisposableStack;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: Metrics;
  readonly health: Health;
};

type Parts = Pick<Service, "name" | "version" | "log" | "signal" | "beforeStop" | "clock" | "random">;

export function createService(parts: Parts): Service & { readonly closers: Closers } {
  const metrics = createMetrics(parts);
  return { ...parts, metrics, health: new Health({ ...parts, metrics }), closers: new Closers() };
}
