import type { Clock, Logger } from "@qbit-sidecars/service";
import type { Doorbell } from "./doorbell.ts";
import type { JobScripts } from "./job-scripts.ts";
import { toDo } from "./stats.ts";

export type RingingOptions = {
  readonly bell: Doorbell;
  readonly scripts: JobScripts;
  readonly clock: Clock;
  readonly log: Logger | undefined;
  /** Aborts when the queue is closed: others ring from then on. */
  readonly closing: AbortSignal;
};

/** When the bell rings: for what was just stored, and for what nobody was told of. Never rejects. */
export class Ringing {
  readonly #options: RingingOptions;

  constructor(options: RingingOptions) {
    this.#options = options;
  }

  async ring(): Promise<void> {
    try {
      await this.#options.bell.ring();
    } catch (err) {
      this.#options.log?.warn(
        { err },
        "jobs were stored, but the workers could not be told; they will find them",
      );
    }
  }

  /** A Redis without persistence has forgotten everything, the limit of the bell included. */
  async reconnected(): Promise<void> {
    try {
      await this.#options.bell.limit();
    } catch (err) {
      this.#options.log?.debug({ err }, "setting up the bell again");
    }
    await this.again();
  }

  /** Rings when there is something to do and nobody was told; a worker that died leaves jobs in processing. */
  async again({ evenIfRinging = false } = {}): Promise<void> {
    const { bell, scripts, clock, log, closing } = this.#options;
    if (closing.aborted) return;
    try {
      const { now, nextDueMs } = await toDo(scripts);
      if (nextDueMs !== undefined) await bell.ringAt(nextDueMs, clock.now());
      if (now > 0 && (evenIfRinging || !(await bell.isRinging()))) await bell.ring();
    } catch (err) {
      log?.debug({ err }, "looking whether jobs wait");
    }
  }
}
