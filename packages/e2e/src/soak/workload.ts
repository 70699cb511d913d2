import { freePort } from "@qbit-sidecars/testing";
import type { WholePod } from "../whole-pod.ts";
import { Errands } from "./errands.ts";
import type { Ledger, Promised } from "./ledger.ts";
import { TorrentLives } from "./torrent-lives.ts";

/** The ledger's books: what happens in the pod, and what the apps' READMEs promise of it. */
export const promises: Record<string, Promised> = {
  "port change": "exactly once",
  "PIA renewal": "exactly once",
  "rule job": "at least once",
  notification: "exactly once",
  torrent: "exactly once",
  piece: "exactly once",
  "hand-off": "exactly once",
};

export type WorkloadOptions = {
  pod: WholePod;
  ledger: Ledger;
  random: () => number;
  log: (text: string) => void;
  now?: () => number;
};

const torrentsAtOnce = 4;

/** What people and servers do to the pod all day: each thing is written into the ledger, and looked for until it is done. */
export class Workload {
  readonly #pod: WholePod;
  readonly #random: () => number;
  readonly #errands: Errands;
  readonly #torrents: TorrentLives;

  constructor({ pod, ledger, random, log, now = () => performance.now() }: WorkloadOptions) {
    this.#pod = pod;
    this.#random = random;
    this.#errands = new Errands(ledger, now);
    this.#torrents = new TorrentLives({ pod, errands: this.#errands, random, log });
  }

  /**
   * Lets things happen until `noMore`, and then waits for what is open until `giveUp`. What is not done by then stays
   * open in the ledger.
   */
  async run(noMore: AbortSignal, giveUp: AbortSignal): Promise<void> {
    const over = new AbortController();
    const watching = this.#torrents.watchPhone(AbortSignal.any([giveUp, over.signal]));
    const forever = async (pauseMs: number, once: (giveUp: AbortSignal) => Promise<void>) => {
      while (!noMore.aborted) {
        await once(giveUp);
        await this.#errands.pause(pauseMs * (0.5 + this.#random()), noMore);
      }
    };
    await Promise.all([
      forever(6000, (signal) => this.#changePort(signal)),
      forever(8000, (signal) => this.#renew(signal)),
      ...Array.from({ length: torrentsAtOnce }, () => forever(1000, (signal) => this.#torrents.live(signal))),
    ]);
    // A second sound would come late.
    await this.#errands.pause(3000, giveUp);
    over.abort();
    await watching;
  }

  async #changePort(giveUp: AbortSignal): Promise<void> {
    const port = await freePort();
    const id = this.#errands.nextId(String(port));
    await this.#pod.gluetun.forward(port);
    this.#errands.sent("port change", id);
    const isSet = async () => (await this.#pod.clients.source.app.preferences()).listen_port === port;
    await this.#errands.finish("port change", id, { isDone: isSet, giveUp });
  }

  async #renew(giveUp: AbortSignal): Promise<void> {
    const { model, gateway } = this.#pod.pia;
    const forwarded = async () => {
      const { listen_port: port } = await this.#pod.clients.home.app.preferences();
      return gateway.bindings.isBound(port) ? port : undefined;
    };
    const before = await forwarded().catch(() => undefined);
    const id = this.#errands.nextId(`after ${before}`);
    model.replaceSigningKey();
    if (this.#random() < 0.3) model.revokeTokens();
    this.#errands.sent("PIA renewal", id);
    const isRenewed = async () => {
      const port = await forwarded();
      return port !== undefined && port !== before;
    };
    await this.#errands.finish("PIA renewal", id, { isDone: isRenewed, giveUp });
  }
}
