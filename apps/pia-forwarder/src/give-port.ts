import { type PortChange, PortChanges } from "@qbit-sidecars/service";
import { afterLook, afterRebind, type Deafness, isTooLong, notDeaf } from "./deafness.ts";
import type { HeldPort } from "./hold-port.ts";

/** What of qBittorrent's giving it a port needs. Resolves once qBittorrent confirms. */
export type Listener = {
  listenOn(
    wanted: { port: number; rebind: boolean },
    signal: AbortSignal,
  ): Promise<{ outcome: "unchanged" | "set" | "rebound"; before: number }>;
  /** Whether it says itself that it does not listen ("disconnected"). */
  isDeaf(signal: AbortSignal): Promise<boolean>;
};

type Noticeboard = { write(port: number | undefined, options?: { anew?: boolean }): Promise<unknown> };

type GivePortOptions = {
  /** The port that is held now. */
  held: () => HeldPort | undefined;
  /** Called when everybody has the port. */
  onGiven: (port: number) => unknown;
  listener: Listener | undefined;
  noticeboard: Noticeboard | undefined;
  now: () => number;
};

/**
 * Gives the held port to qBittorrent and to the port file. Level-triggered: each step compares what is with what should
 * be, so it does not matter which side was restarted.
 */
export class GivePort {
  readonly changes = new PortChanges();
  readonly #options: GivePortOptions;
  /** What each of the two was given last. */
  #written: HeldPort | undefined;
  #listening: HeldPort | undefined;
  #deafness: Deafness = notDeaf;

  constructor(options: GivePortOptions) {
    this.#options = options;
  }

  /** The port qBittorrent confirmed last; undefined before that. */
  get given(): number | undefined {
    return this.#listening?.port;
  }

  /** @throws when qBittorrent or the port file cannot be told; one does not keep the other from being told */
  async step(signal: AbortSignal): Promise<{ converged: true }> {
    const held = this.#options.held();
    if (held === undefined) {
      // No port is a state like another: it is for holding the port to say why. qBittorrent keeps the one it has.
      await this.#options.noticeboard?.write(undefined);
      return { converged: true };
    }
    const results = await Promise.allSettled([this.#write(held), this.#listen(held, signal)]);
    const failures = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason as unknown] : [],
    );
    if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join("; "));
    if (failures.length === 1) throw failures[0];
    await this.#options.onGiven(held.port);
    return { converged: true };
  }

  async #write(held: HeldPort): Promise<void> {
    const { noticeboard, listener } = this.#options;
    if (noticeboard === undefined) return;
    const anew = isAnnouncedAgain(this.#written, held);
    await noticeboard.write(held.port, { anew });
    const before = this.#written?.port;
    this.#written = held;
    // Without qBittorrent the file is all there is to change.
    if (listener === undefined && before !== held.port) this.#changed(before ?? 0, held, setBecause(false));
  }

  async #listen(held: HeldPort, signal: AbortSignal): Promise<void> {
    const { listener } = this.#options;
    if (listener === undefined) return;
    const nowMs = this.#options.now();
    this.#deafness = afterLook(this.#deafness, await listener.isDeaf(signal), nowMs);
    const rebind = isAnnouncedAgain(this.#listening, held) || isTooLong(this.#deafness, nowMs);
    const { outcome, before } = await listener.listenOn({ port: held.port, rebind }, signal);
    if (rebind) this.#deafness = afterRebind(this.#deafness, nowMs);
    const why = isAnnouncedAgain(this.#listening, held) ? interrupted : "qBittorrent did not listen";
    this.#listening = held;
    if (outcome === "rebound") this.#changed(before, held, { kind: "rebind", why });
    if (outcome === "set") this.#changed(before, held, setBecause(before === held.port));
  }

  #changed(from: number, { port }: HeldPort, reason: Pick<PortChange, "kind" | "why">): void {
    this.changes.add({ at: new Date(this.#options.now()), from, to: port, ...reason });
  }
}

/** The same port after an interruption. Before the first time nobody knows what was missed, and nothing is done. */
function isAnnouncedAgain(given: HeldPort | undefined, held: HeldPort): boolean {
  return given !== undefined && given.port === held.port && given.announcement !== held.announcement;
}

const interrupted = "forwarded again after an interruption";

function setBecause(isSame: boolean): Pick<PortChange, "kind" | "why"> {
  return { kind: "set", why: isSame ? "its settings were put right" : "PIA forwards this port" };
}
