import { type Clock, type Logger, messageWithCauses } from "@qbit-sidecars/service";
import type { DrainLimits, DrainOutcome } from "./drain-loop.ts";
import { countOfTorrents, gigabytes } from "./plan-cleanup.ts";
import { NoPodError } from "./pod-annotation.ts";

/** What a request for a drain came to. */
export type DrainReport =
  | { result: "declined"; why: string }
  | ({ result: "drained" | "partly drained" } & DrainOutcome);

/** What of a report is told to callers on other machines: no name of a torrent, and no words that could have one. */
export function forStrangers(report: DrainReport) {
  if (report.result === "declined") return { result: report.result };
  const { result, handedOff, freedBytes, left } = report;
  return { result, handedOff, freedBytes, leftCount: left.length };
}

export type DrainOptions = {
  /** Empty: a drain is never declined. */
  annotation: string;
  /** @throws Error when it cannot be known */
  readAnnotation: (signal: AbortSignal) => Promise<string | undefined>;
  /** Hands over all it can until it is told to stop. */
  drain: (limits: DrainLimits) => Promise<DrainOutcome>;
  timeoutMs: number;
  dryRun: boolean;
  clock: Clock;
  log: Logger;
  onResult?: (result: DrainReport["result"]) => void;
};

/** In the last part of its time a drain begins nothing more: what is under way is to end. */
const lastPartMs = 20_000;

/**
 * A drain, however it is asked for and however often: by SIGTERM, by qBittorrent's preStop hook, by both. One is under
 * way at a time and all who ask wait for it. It begins only where the pod's annotation is exactly "true"; whatever
 * keeps that from being known is a no.
 */
export class Drain {
  readonly #options: DrainOptions;
  #running: Promise<DrainReport> | undefined;
  #wasDrained = false;
  #last: DrainReport | undefined;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** 1 while it hands over, else 0: for a metric. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  get last(): DrainReport | undefined {
    return this.#last;
  }

  /** Never rejects. */
  async request(by: string): Promise<DrainReport> {
    const running = (this.#running ??= this.#run(by));
    try {
      return await running;
    } finally {
      // Never one that was begun since.
      if (this.#running === running) this.#running = undefined;
    }
  }

  async #run(by: string): Promise<DrainReport> {
    const { log, onResult } = this.#options;
    const report = await this.#decideAndDrain(by);
    this.#last = report;
    onResult?.(report.result);
    if (report.result === "declined") log.info(`${by}: no drain: ${report.why}`);
    else log.info({ ...report }, summary(report));
    return report;
  }

  async #decideAndDrain(by: string): Promise<DrainReport> {
    const { clock, timeoutMs, log, dryRun } = this.#options;
    const startedAt = clock.monotonic();
    const deadline = new AbortController();
    const timer = new AbortController();
    void clock.sleep(timeoutMs, timer.signal).then(
      () => deadline.abort(new DOMException(`not done within ${timeoutMs} ms`, "TimeoutError")),
      () => {},
    );
    try {
      const why = await this.#whyNot(deadline.signal);
      if (why !== undefined) return { result: "declined", why };
      log.info(`${by}: ${dryRun ? "dry run: a drain would begin" : "draining"}`);
      const outcome = await this.#options.drain({
        deadline: deadline.signal,
        mayBegin: () => clock.monotonic() - startedAt < timeoutMs - Math.min(lastPartMs, timeoutMs / 4),
        wasDrained: this.#wasDrained,
      });
      this.#wasDrained = true;
      return { result: outcome.left.length === 0 ? "drained" : "partly drained", ...outcome };
    } catch (error) {
      const why = messageWithCauses(error);
      return { result: "partly drained", handedOff: 0, freedBytes: 0, left: [{ name: "all", why }] };
    } finally {
      timer.abort();
    }
  }

  async #whyNot(signal: AbortSignal): Promise<string | undefined> {
    const { annotation, readAnnotation } = this.#options;
    if (annotation === "") return undefined;
    try {
      const value = await readAnnotation(signal);
      if (value === "true") return undefined;
      return value === undefined
        ? `the pod has no annotation ${annotation}`
        : `the pod's annotation ${annotation} is ${JSON.stringify(value)}, and not "true"`;
    } catch (error) {
      if (error instanceof NoPodError) return error.message;
      return `whether the pod's annotation ${annotation} is "true" is not known: ${messageWithCauses(error)}`;
    }
  }
}

function summary(report: DrainReport & { result: "drained" | "partly drained" }): string {
  const { handedOff, freedBytes, left } = report;
  const done = `drain: ${countOfTorrents(handedOff)} handed over, ${gigabytes(freedBytes)} freed`;
  if (left.length === 0) return `${done}; nothing is left`;
  const some = left.slice(0, 5).map(({ name, why }) => `${name} (${why})`);
  const more = left.length > some.length ? ` and ${left.length - some.length} more` : "";
  return `${done}; ${left.length} stay: ${some.join(", ")}${more}`;
}
