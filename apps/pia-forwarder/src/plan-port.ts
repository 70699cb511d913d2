import type { Grant } from "./grant.ts";

/** PIA takes a port away that was not bound again for this long (pia-foss/manual-connections, README). */
export const bindingMs = 15 * 60_000;

const dayMs = 24 * 3_600_000;

/** Tokens are good for 24 hours; within this they are surely good. */
const tokenFreshMs = 23 * 3_600_000;

/** How often a grant that PIA spoke against is tried again beside the search for another one. */
const secondChanceMs = 60_000;

export type Token = { value: string; obtainedAtMs: number; from: "login" | "file" };

/** What PIA answered against a grant, how often since it was last bound. */
export type Objection = { kind: "signature" | "expired" | "busy" | "refused"; times: number };

/** All that is known about the port, folded from what happened. Times are wall clock, epoch ms. */
export type PortState = {
  token?: Token;
  /** The port in force. */
  grant?: Grant;
  /** When to get another one, if other than `renewBeforeMs` before its end. */
  renewAtMs?: number;
  boundAtMs?: number;
  triedAtMs?: number;
  objection?: Objection;
  /** Got to replace `grant`, not bound yet. */
  successor?: Grant;
  /** Replaced, and kept bound until qBittorrent has left it. */
  previous?: { grant: Grant; boundAtMs: number };
  /** When a token, or another port, may be asked for again. */
  notBefore: { token: number; port: number };
  /** Failures in a row, of getting a token, of replacing the port, and of tokens PIA did not accept. */
  failures: { token: number; port: number; unauthorized: number };
};

export const nothingKnown: PortState = {
  notBefore: { token: 0, port: 0 },
  failures: { token: 0, port: 0, unauthorized: 0 },
};

export type PortPolicy = {
  /** How often the port is bound anew. */
  bindEveryMs: number;
  /** How long before its end the port is replaced. */
  renewBeforeMs: number;
  /** There is a user name and a password to get tokens with. */
  canLogIn: boolean;
};

/** Why another port is wanted. */
type Replacing = "there is none" | "its end is near" | "PIA does not bind it any more";

/** The next thing to do, one at a time. */
export type Action =
  | { do: "bind"; which: "grant" | "successor" | "previous" }
  | { do: "get token" }
  | { do: "get port"; why: Replacing }
  /** The port is held and nothing is due. */
  | { do: "rest" }
  /** No port is held, and what would help may not be tried before this. */
  | { do: "wait"; untilMs: number };

/** Says what to do next. Pure: the same state at the same time gives the same action. */
export function planPort(state: PortState, nowMs: number, policy: PortPolicy): Action {
  if (isBindDue(state, nowMs, policy)) return { do: "bind", which: "grant" };
  const why = reasonToReplace(state, nowMs, policy);
  if (why !== undefined && nowMs >= state.notBefore.port) {
    if (state.successor !== undefined) return { do: "bind", which: "successor" };
    if (!needsToken(state, nowMs, policy)) return { do: "get port", why };
    if (nowMs >= state.notBefore.token) return { do: "get token" };
  }
  if (isPreviousDue(state, nowMs, policy)) return { do: "bind", which: "previous" };
  // Once a day although none is needed for weeks: wrong credentials show while the port is still held.
  if (isHeld(state, nowMs) && isTokenOld(state, nowMs, policy) && nowMs >= state.notBefore.token) {
    return { do: "get token" };
  }
  if (isHeld(state, nowMs)) return { do: "rest" };
  return { do: "wait", untilMs: nextChance(state, nowMs) };
}

/** PIA forwards the port: it was bound and cannot have been taken away yet. */
export function isHeld({ grant, boundAtMs, objection }: PortState, nowMs: number): boolean {
  if (grant === undefined || boundAtMs === undefined) return false;
  return nowMs - boundAtMs < bindingMs && !isRejected(objection);
}

/** Whether the objection is PIA's last word on the grant, so that another one is wanted. */
function isRejected(objection: Objection | undefined): boolean {
  if (objection === undefined) return false;
  // A port that is busy may be our own from before a reconnect; unknown words may be a passing fault.
  const patience = { signature: 1, expired: 1, busy: 2, refused: 3 };
  return objection.times >= patience[objection.kind];
}

function isBindDue({ grant, boundAtMs, triedAtMs, objection }: PortState, nowMs: number, policy: PortPolicy) {
  if (grant === undefined) return false;
  if (isRejected(objection)) return isOver(triedAtMs, secondChanceMs, nowMs);
  return objection !== undefined || isOver(boundAtMs, policy.bindEveryMs, nowMs);
}

/** Also when the time lies in the future: the clock was set back since, and nobody knows how long ago it was. */
function isOver(sinceMs: number | undefined, spanMs: number, nowMs: number): boolean {
  return sinceMs === undefined || nowMs - sinceMs >= spanMs || nowMs < sinceMs;
}

function reasonToReplace(
  { grant, objection, renewAtMs }: PortState,
  nowMs: number,
  policy: PortPolicy,
): Replacing | undefined {
  if (grant === undefined) return "there is none";
  if (isRejected(objection)) return "PIA does not bind it any more";
  // Whether it has expired is PIA's to say: this machine's clock may be wrong.
  return nowMs >= (renewAtMs ?? grant.expiresAtMs - policy.renewBeforeMs) ? "its end is near" : undefined;
}

/**
 * When to replace a grant that is new now. Never at once: where PIA grants ports for days only, or this machine's clock
 * is months ahead, its successor would be replaced as well, and so for ever. If it does end before, PIA says so.
 */
export function renewalOf({ expiresAtMs }: Grant, nowMs: number, { renewBeforeMs }: PortPolicy): number {
  const leftMs = expiresAtMs - nowMs;
  if (leftMs <= 0) return nowMs + dayMs;
  return nowMs + Math.max(leftMs - renewBeforeMs, leftMs / 2, dayMs / 24);
}

/** An old token is better than none while no other may be asked for: PIA decides whether it is good. */
function needsToken(state: PortState, nowMs: number, policy: PortPolicy): boolean {
  if (state.token === undefined) return true;
  return isTokenOld(state, nowMs, policy) && nowMs >= state.notBefore.token;
}

function isTokenOld({ token }: PortState, nowMs: number, { canLogIn }: PortPolicy): boolean {
  return canLogIn && isOver(token?.obtainedAtMs, tokenFreshMs, nowMs);
}

function isPreviousDue({ previous }: PortState, nowMs: number, policy: PortPolicy): boolean {
  return previous !== undefined && isOver(previous.boundAtMs, policy.bindEveryMs, nowMs);
}

function nextChance({ notBefore, token, triedAtMs, grant }: PortState, nowMs: number): number {
  const anotherPort = Math.max(notBefore.port, token === undefined ? notBefore.token : 0);
  const secondChance = grant === undefined ? Number.POSITIVE_INFINITY : (triedAtMs ?? nowMs) + secondChanceMs;
  return Math.max(nowMs + 1000, Math.min(anotherPort, secondChance));
}
