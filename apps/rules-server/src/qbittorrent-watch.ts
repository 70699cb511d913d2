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
const waitMs = 2000;

/** Whether qBittorrent is there, asked when somebody wants to know and at most every few seconds. */
export class QbittorrentWatch {
  readonly #client: Pick<QbitClient, "probe">;
  readonly #clock: Clock;
  #seen: Seen = { connected: false, version: null, webApi: null, message: "not asked yet" };
  #askedAt: number | undefined;
  #asking: Promise<void> | undefined;

  constructor(client: Pick<QbitClient, "probe">, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
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
    const probe = await this.#client.probe({ timeoutMs: waitMs, signal: AbortSignal.timeout(2 * waitMs) });
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
