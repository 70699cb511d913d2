import { PortChanges } from "@qbit-sidecars/service";
import { type ForwardedPort, followPort, nothingRead } from "./follow-port.ts";
import { type Listening, parkedOn, type Past, type Plan, planSync, type Policy } from "./plan-sync.ts";
import type { PortReading } from "./read-port.ts";

/** Where forwarded ports come from. */
export type PortSources = { read(signal: AbortSignal): Promise<PortReading> };

/** The two or three things of qBittorrent's that syncing a port needs. */
export type Listener = {
  observe(signal: AbortSignal): Promise<Listening>;
  /** Resolves once qBittorrent confirms the port. `rebind`: let go of it first, when it is the same. */
  listenOn(
    wanted: { port: number; disableUpnp: boolean; rebind: boolean },
    signal: AbortSignal,
  ): Promise<void>;
  /** Tells the trackers of all active torrents the new port. */
  reannounceActive(signal: AbortSignal): Promise<void>;
};

/** Everything a status page tells. */
export type SyncView = {
  forwarded: ForwardedPort;
  listening?: Listening & { seenAt: Date };
  plan?: Plan;
};

/** What one step came to. */
export type SyncResult = { converged: true } | { converged: false; reason: string; retryAfterMs?: number };

type SyncOptions = {
  sources: PortSources;
  listener: Listener;
  policy: Policy;
  /** How long the VPN must say "no port" before it counts as lost. */
  lostAfterMs: number;
  reannounce: boolean;
  /** Never wait longer than this for the next step. */
  longestWaitMs: number;
  /** `now` is wall clock, for people; `monotonic` never jumps, for measuring. Both ms. */
  clock: { now(): number; monotonic(): number };
};

const notListening =
  "qBittorrent has the port but reports `disconnected`, that it listens nowhere, and taking the port anew did not help; " +
  "look at the network interface in its settings";

/**
 * Keeps qBittorrent listening on the forwarded port. Level-triggered: each step reads both sides anew and makes them
 * equal, so it does not matter what was missed, on which side, or for how long.
 */
export class PortSync {
  /** Those made in qBittorrent. */
  readonly changes = new PortChanges();
  readonly #options: SyncOptions;
  #forwarded: ForwardedPort = nothingRead;
  #listening: (Listening & { seenAt: Date }) | undefined;
  #plan: Plan | undefined;
  #past: Past = { rebindAsked: false, vainRebinds: 0 };
  #reannounceDue = false;

  constructor(options: SyncOptions) {
    this.#options = options;
  }

  /** What was last seen and done. */
  view(): SyncView {
    return {
      forwarded: this.#forwarded,
      ...(this.#listening === undefined ? {} : { listening: this.#listening }),
      ...(this.#plan === undefined ? {} : { plan: this.#plan }),
    };
  }

  /** Makes the next step take the port anew although the number is right. */
  askRebind(): void {
    this.#past = { ...this.#past, rebindAsked: true };
  }

  /** Looks at both sides once and makes them equal. @throws when qBittorrent cannot be asked or told */
  async step(signal: AbortSignal): Promise<SyncResult> {
    const { sources, listener, policy, lostAfterMs, clock } = this.#options;
    const reading = await sources.read(signal);
    this.#forwarded = followPort(this.#forwarded, reading, { nowMs: clock.monotonic(), lostAfterMs });
    const listening = await this.#observe(listener, signal);
    const nowMs = clock.monotonic();
    this.#plan = planSync({ forwarded: this.#forwarded, listening, policy, past: this.#past, nowMs });
    return this.#carryOut(this.#plan, listening, signal);
  }

  async #observe(listener: Listener, signal: AbortSignal): Promise<Listening> {
    const listening = await listener.observe(signal);
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    this.#listening = { ...listening, seenAt: new Date(clock.now()) };
    const { disconnectedSinceMs: _, ...past } = this.#past;
    this.#past =
      listening.connection === "disconnected"
        ? { ...past, disconnectedSinceMs: this.#past.disconnectedSinceMs ?? nowMs }
        : { ...past, vainRebinds: 0 };
    return listening;
  }

  async #carryOut(plan: Plan, before: Listening, signal: AbortSignal): Promise<SyncResult> {
    if (plan.change === "wait") return this.#waiting(plan.why);
    if (plan.change !== "none") await this.#apply(plan, before, signal);
    if (this.#reannounceDue) {
      await this.#options.listener.reannounceActive(signal);
      this.#reannounceDue = false;
    }
    if (this.#forwarded.lost)
      return { converged: false, reason: `${this.#forwarded.why}; ${parkedOn(plan.port)}` };
    this.#past = { ...this.#past, syncedAnnouncement: this.#forwarded.announcement };
    if (this.#past.vainRebinds > 0) return { converged: false, reason: notListening };
    return { converged: true };
  }

  async #apply(
    plan: Plan & { change: "set" | "rebind" },
    before: Listening,
    signal: AbortSignal,
  ): Promise<void> {
    const { listener, policy, reannounce, clock } = this.#options;
    const rebind = plan.change === "rebind";
    await listener.listenOn({ port: plan.port, disableUpnp: policy.disableUpnp, rebind }, signal);
    const at = new Date(clock.now());
    const disconnected =
      this.#past.disconnectedSinceMs === undefined ? {} : { disconnectedSinceMs: clock.monotonic() };
    this.#past = {
      ...this.#past,
      ...disconnected,
      rebindAsked: false,
      vainRebinds: this.#past.vainRebinds + (rebind && plan.why === "disconnected" ? 1 : 0),
    };
    const upnp = before.upnp && !policy.disableUpnp;
    this.#listening = { ...before, listenPort: plan.port, randomPort: false, upnp, seenAt: at };
    this.#reannounceDue = reannounce;
    this.changes.add({ at, from: before.listenPort, to: plan.port, kind: plan.change, why: plan.why });
  }

  #waiting(why: string): SyncResult {
    const { clearedSinceMs, lost } = this.#forwarded;
    const { policy, lostAfterMs, longestWaitMs, clock } = this.#options;
    // Come back when "cleared" turns into "lost", for parking cannot wait for the next interval.
    if (policy.onPortLost === "park" && clearedSinceMs !== undefined && !lost) {
      return {
        converged: false,
        reason: why,
        retryAfterMs: Math.min(longestWaitMs, Math.max(0, clearedSinceMs + lostAfterMs - clock.monotonic())),
      };
    }
    return { converged: false, reason: why };
  }
}
