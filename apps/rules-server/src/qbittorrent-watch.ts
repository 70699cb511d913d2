import type { QbitClient } from "@qbit-sidecars/qbit-client";
import type { Clock } from "@qbit-sidecars/service";

export type Seen = {
  readonly connected: boolean;
  /** As qBittorrent says it: `v5.0.2`. */
  readonly version: string | null;
  readonly webApi: string | null;
  readonly message: string;
};

const freshMs = 5000;

/** Whether qBittorrent is there, asked when somebody wants to know and at most every few seconds. */
export class QbittorrentWatch {
  readonly #client: Pick<QbitClient, "probe">;
  readonly #clock: Clock;
  readonly #waitMs: number;
  #seen: Seen = { connected: false, version: null, webApi: null, message: "not asked yet" };
  #askedAt: number | undefined;
  #asking: Promise<void> | undefined;

  /** @param options.waitMs how long one answer may take, and half of how long all of them may. Default 2 s */
  constructor(
    client: Pick<QbitClient, "probe">,
    { clock, waitMs = 2000 }: { clock: Clock; waitMs?: number },
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  async look(): Promise<Seen> {
    const now = this.#clock.monotonic();
    if (this.#askedAt === undefined || now - this.#askedAt > freshMs) {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
      });
      await this.#asking;
    }
    return this.#seen;
  }

  async #ask(): Promise<void> {
    const withinMs = 2 * this.#waitMs;
    const within = AbortSignal.timeout(withinMs);
    const probe = await this.#client
      .probe({ timeoutMs: this.#waitMs, signal: within })
      .catch((error: unknown) => {
        // Where a name server is silent, the time is over before anybody was asked.
        if (!within.aborted) throw error;
        return { ok: false, explanation: `it did not answer within ${withinMs / 1000} s` } as const;
      });
    this.#askedAt = this.#clock.monotonic();
    this.#seen = probe.ok
      ? {
          connected: true,
          version: `v${probe.capabilities.app}`,
          webApi: probe.capabilities.webApi,
          message: probe.explanation,
        }
      : { connected: false, version: null, webApi: this.#seen.webApi, message: probe.explanation };
  }
}
