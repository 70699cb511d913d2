import { afterFailure, type Asking } from "./after-failure.ts";
import type { Grant } from "./grant.ts";
import { PiaError } from "./pia-errors.ts";
import {
  type Action,
  bindingMs,
  isHeld,
  nothingKnown,
  planPort,
  type PortPolicy,
  type PortState,
  renewalOf,
  type Token,
} from "./plan-port.ts";

/** What of PIA's API holding a port needs. @throws PiaError */
type PortGranter = {
  getSignature(gateway: string, token: string, signal: AbortSignal): Promise<Grant>;
  bindPort(gateway: string, grant: Grant, signal: AbortSignal): Promise<void>;
};

/** Where the gateway of the tunnel is. @throws PiaError */
export type GatewayFinder = {
  find(signal: AbortSignal): Promise<string>;
  /** It may be another one now. */
  forget(): void;
};

/** @throws PiaError */
export type TokenSource = { token(rejected: string | undefined, signal: AbortSignal): Promise<Token> };

/** What survives a restart. */
export type Kept = {
  token?: Token | undefined;
  grant?: Grant | undefined;
  renewAtMs?: number | undefined;
  /** Replaced, but somebody may still listen on it. */
  previous?: Grant | undefined;
};
export type Keeper = { save(kept: Kept, about: { gateway?: string | undefined }): Promise<unknown> };

/** The port as those see it who are given it. */
export type HeldPort = {
  port: number;
  /**
   * Counts how often the port began to be forwarded, the same one after an interruption included: qBittorrent has to
   * take it anew then, for writing an equal port does nothing (gluetun #1407).
   */
  announcement: number;
};

export type HoldPortView = {
  state: PortState;
  held: boolean;
  announcement: number;
  gateway?: string;
  /** What does not go well although the port is held. */
  trouble: readonly { doing: string; error: PiaError; sinceMs: number }[];
};

/** The first port, the one that was kept over a restart, the same one after an interruption, or another one. */
export type BoundBecause = "first" | "kept" | "again" | "replaced";

export type HoldPortEvents = {
  bound?(grant: Grant, why: BoundBecause): void;
  failed?(error: PiaError, doing: Asking["do"]): void;
  /** Something is wrong that does not cost the port yet; told once until it is over. */
  troubled?(error: PiaError, doing: Asking["do"]): void;
};

type HoldPortOptions = {
  pia: PortGranter;
  gateways: GatewayFinder;
  tokens: TokenSource;
  keeper: Keeper;
  policy: PortPolicy;
  /** From an earlier life. */
  kept?: Kept;
  now: () => number;
};

type StepResult = { converged: true } | { converged: false; reason: string; retryAfterMs?: number };

/** Bind, objection, token, port, bind: what one step can have to do, twice over. */
const mostActions = 12;

const longAgo = 0;

/**
 * Holds a forwarded port at PIA: the same one for its two months, across restarts and reconnects, and then another one
 * without a gap. Each step asks the plan what to do next until nothing is due.
 */
export class HoldPort {
  readonly #options: HoldPortOptions;
  #state: PortState;
  #gateway: string | undefined;
  #announcement = 0;
  /** The port was or may have been without forwarding since it was last bound. */
  #interrupted = false;
  #rejectedToken: string | undefined;
  readonly #trouble = new Map<string, { error: PiaError; sinceMs: number }>();
  #lastError: PiaError | undefined;
  #events: HoldPortEvents = {};

  constructor(options: HoldPortOptions) {
    this.#options = options;
    const { token, grant, renewAtMs, previous } = options.kept ?? {};
    this.#state = {
      ...nothingKnown,
      ...(token && { token }),
      ...(grant && { grant }),
      ...(renewAtMs !== undefined && { renewAtMs }),
      ...(previous && { previous: { grant: previous, boundAtMs: longAgo } }),
    };
  }

  /** Whom to tell; one listener of each kind. */
  on(events: HoldPortEvents): void {
    this.#events = events;
  }

  view(): HoldPortView {
    return {
      state: this.#state,
      held: isHeld(this.#state, this.#options.now()),
      announcement: this.#announcement,
      ...(this.#gateway === undefined ? {} : { gateway: this.#gateway }),
      trouble: [...this.#trouble].map(([doing, { error, sinceMs }]) => ({ doing, error, sinceMs })),
    };
  }

  /** The port that PIA forwards now; undefined while it forwards none. */
  held(): HeldPort | undefined {
    const { grant } = this.#state;
    if (grant === undefined || !isHeld(this.#state, this.#options.now())) return undefined;
    return { port: grant.port, announcement: this.#announcement };
  }

  /** Everybody listens on the held port: the one before it need not be bound any longer. */
  async release(port: number): Promise<void> {
    const { previous, ...state } = this.#state;
    if (previous === undefined || state.grant?.port !== port) return;
    this.#state = state;
    await this.#save();
  }

  /** The tunnel is another one, or the machine was asleep: PIA may have forgotten the port, so it is bound at once. */
  bindAnew(): void {
    const { boundAtMs: _, previous, ...state } = this.#state;
    this.#state = { ...state, ...(previous && { previous: { ...previous, boundAtMs: longAgo } }) };
    this.#interrupted = true;
    this.#forgetGateway();
  }

  /** @throws PiaError when the port is not held, or could not be bound again */
  async step(signal: AbortSignal): Promise<StepResult> {
    const { policy, now } = this.#options;
    for (let count = 0; count < mostActions; count += 1) {
      const action = planPort(this.#state, now(), policy);
      if (action.do === "rest") return { converged: true };
      if (action.do === "wait") return this.#waiting(action.untilMs);
      await this.#attempt(action, signal);
    }
    return this.#waiting(now() + 5000);
  }

  /** The same error goes on until it is over, so that the log tells it once. */
  #waiting(untilMs: number): StepResult {
    const retryAfterMs = Math.max(1000, untilMs - this.#options.now());
    if (this.#lastError === undefined) {
      return { converged: false, reason: "no port is bound yet", retryAfterMs };
    }
    this.#lastError.retryAfterMs = retryAfterMs;
    throw this.#lastError;
  }

  async #attempt(action: Asking, signal: AbortSignal): Promise<void> {
    try {
      await this.#carryOut(action, signal);
      this.#trouble.delete(nameOf(action));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PiaError)) throw error;
      this.#failed(action, error);
    }
  }

  async #carryOut(action: Asking, signal: AbortSignal): Promise<void> {
    if (action.do === "get token") return this.#getToken(signal);
    const { pia, gateways } = this.#options;
    this.#gateway = await gateways.find(signal);
    if (action.do === "get port") return this.#getPort(this.#gateway, signal);
    const grant = this.#grantOf(action.which);
    if (grant === undefined) return;
    await pia.bindPort(this.#gateway, grant, signal);
    await this.#bound(grant, action.which);
  }

  async #getToken(signal: AbortSignal): Promise<void> {
    const token = await this.#options.tokens.token(this.#rejectedToken, signal);
    const { failures, notBefore } = this.#state;
    this.#state = {
      ...this.#state,
      token,
      failures: { ...failures, token: 0 },
      notBefore: { ...notBefore, token: 0 },
    };
    await this.#save();
  }

  async #getPort(gateway: string, signal: AbortSignal): Promise<void> {
    const token = this.#state.token?.value ?? "";
    const successor = await this.#options.pia.getSignature(gateway, token, signal);
    this.#rejectedToken = undefined;
    this.#state = { ...this.#state, successor, failures: { ...this.#state.failures, unauthorized: 0 } };
  }

  #grantOf(which: "grant" | "successor" | "previous"): Grant | undefined {
    return which === "previous" ? this.#state.previous?.grant : this.#state[which];
  }

  async #bound(grant: Grant, which: "grant" | "successor" | "previous"): Promise<void> {
    const nowMs = this.#options.now();
    if (which === "previous") {
      this.#state = { ...this.#state, previous: { grant, boundAtMs: nowMs } };
      return;
    }
    const { boundAtMs } = this.#state;
    const lapsed = boundAtMs !== undefined && nowMs - boundAtMs >= bindingMs;
    const isFirst = this.#announcement === 0;
    const isNews = isFirst || which === "successor" || this.#interrupted || lapsed;
    this.#state = which === "grant" ? stillGood(this.#state, nowMs) : this.#replaced(grant, nowMs);
    this.#interrupted = false;
    this.#lastError = undefined;
    if (isNews) this.#announcement += 1;
    if (which === "successor") await this.#save();
    if (isNews)
      this.#events.bound?.(grant, isFirst ? this.#whyFirst(grant) : which === "grant" ? "again" : "replaced");
  }

  #whyFirst({ port }: Grant): BoundBecause {
    return this.#options.kept?.grant?.port === port ? "kept" : "first";
  }

  #replaced(successor: Grant, nowMs: number): PortState {
    const { successor: _s, objection: _o, previous: _p, grant, boundAtMs, ...rest } = this.#state;
    // Make before break: the old port stays bound until qBittorrent listens on the new one.
    const previous =
      grant !== undefined && boundAtMs !== undefined && isHeld(this.#state, nowMs)
        ? { previous: { grant, boundAtMs } }
        : {};
    return {
      ...rest,
      ...previous,
      grant: successor,
      renewAtMs: renewalOf(successor, nowMs, this.#options.policy),
      boundAtMs: nowMs,
      triedAtMs: nowMs,
      notBefore: { ...rest.notBefore, port: 0 },
      failures: { ...rest.failures, port: 0 },
    };
  }

  #failed(action: Asking, error: PiaError): void {
    const { now, policy } = this.#options;
    const nowMs = now();
    const wasHeld = isHeld(this.#state, nowMs);
    if (error.kind === "unauthorized") this.#rejectedToken = this.#state.token?.value;
    this.#state = afterFailure(this.#state, action, { error, nowMs });
    if (isOfTheWay(error)) this.#forgetGateway();
    const isOfGrant = nameOf(action) === "bind grant";
    if (isOfGrant) this.#interrupted = true;
    this.#events.failed?.(error, action.do);
    if (wasHeld && !isOfGrant) return this.#note(action, error, nowMs);
    this.#lastError = error;
    const next = planPort(this.#state, nowMs, policy);
    // The cure is at hand: another token for a 401, another port for a busy one.
    if (next.do === "wait") error.retryAfterMs = next.untilMs - nowMs;
    else if (nameOf(next) !== nameOf(action)) return;
    throw error;
  }

  /** What does not cost the port yet is kept for the status, and told once. */
  #note(action: Asking, error: PiaError, nowMs: number): void {
    const name = nameOf(action);
    const known = this.#trouble.get(name);
    this.#trouble.set(name, { error, sinceMs: known?.sinceMs ?? nowMs });
    if (known === undefined) this.#events.troubled?.(error, action.do);
  }

  #forgetGateway(): void {
    this.#gateway = undefined;
    this.#options.gateways.forget();
  }

  async #save(): Promise<void> {
    const { token, grant, renewAtMs, previous } = this.#state;
    const kept = { token, grant, renewAtMs, previous: previous?.grant };
    await this.#options.keeper.save(kept, { gateway: this.#gateway });
  }
}

/** "get token", "bind successor". */
function nameOf(action: Action): string {
  return action.do === "bind" ? `bind ${action.which}` : action.do;
}

function stillGood(state: PortState, nowMs: number): PortState {
  const { objection: _, ...rest } = state;
  return { ...rest, boundAtMs: nowMs, triedAtMs: nowMs };
}

/** The way to the gateway is in doubt, so it is looked for again. */
function isOfTheWay(error: PiaError): boolean {
  return error.kind === "unreachable" || error.kind === "certificate" || error.kind === "unauthorized";
}
