import type { PiaError } from "./pia-errors.ts";
import { type Action, isHeld, type Objection, type PortState } from "./plan-port.ts";

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** An action that asks PIA something. */
export type Asking = Exclude<Action, { do: "rest" } | { do: "wait" }>;

/** What is known after an action failed: what to give up, and what to leave alone for how long. Pure. */
export function afterFailure(state: PortState, action: Asking, failure: Failure): PortState {
  if (action.do === "get token") return afterToken(state, failure);
  if (action.do === "get port") return afterGetPort(state, failure);
  return afterBind(state, action.which, failure);
}

export type Failure = { error: PiaError; nowMs: number };

/** PIA locks out who keeps trying; only a login that was refused can never come right by itself. */
function afterToken(state: PortState, { error, nowMs }: Failure): PortState {
  const times = state.failures.token;
  const waitMs: Partial<Record<PiaError["kind"], number>> = {
    "rate limit": doubling(times, 3 * minuteMs, hourMs),
    login: doubling(times, 15 * minuteMs, 6 * hourMs),
    // A look at a file.
    "no token": doubling(times, 5 * secondMs, minuteMs),
  };
  const notBefore = nowMs + (waitMs[error.kind] ?? patience(state, times, nowMs));
  return {
    ...state,
    notBefore: { ...state.notBefore, token: notBefore },
    failures: { ...state.failures, token: times + 1 },
  };
}

function afterGetPort(state: PortState, failure: Failure): PortState {
  const { error, nowMs } = failure;
  if (error.kind !== "unauthorized") return laterAnotherPort(state, failure);
  const failures = { ...state.failures, unauthorized: state.failures.unauthorized + 1 };
  const { token: _, ...tokenless } = state;
  // The first time the token may have been old: another one is got at once. After that it is not the token.
  if (state.failures.unauthorized === 0) return { ...tokenless, failures };
  const waitMs = doubling(state.failures.unauthorized - 1, 30 * secondMs, 15 * minuteMs);
  // A token from a file may have been replaced meanwhile: it is read again. One from a login was new.
  const kept = state.token?.from === "file" ? tokenless : state;
  return { ...kept, failures, notBefore: { ...state.notBefore, port: nowMs + waitMs } };
}

function afterBind(state: PortState, which: "grant" | "successor" | "previous", failure: Failure): PortState {
  const { error, nowMs } = failure;
  const objection = isObjection(error.kind) ? error.kind : undefined;
  if (which === "previous") {
    // Nobody listens on it for long any more: it is not worth a second try unless the tunnel was down.
    const { previous: _, ...without } = state;
    return objection === undefined && isHeld(state, nowMs) ? retryPrevious(state, nowMs) : without;
  }
  if (which === "successor") {
    const { successor: _, ...without } = state;
    return laterAnotherPort(objection === undefined ? state : without, failure);
  }
  if (objection === undefined) return { ...state, triedAtMs: nowMs };
  const times = state.objection?.kind === objection ? state.objection.times + 1 : 1;
  return { ...state, triedAtMs: nowMs, objection: { kind: objection, times } };
}

function retryPrevious(state: PortState, nowMs: number): PortState {
  const { previous, ...rest } = state;
  return previous === undefined ? rest : { ...rest, previous: { ...previous, boundAtMs: nowMs } };
}

function laterAnotherPort(state: PortState, { nowMs }: Failure): PortState {
  const times = state.failures.port;
  return {
    ...state,
    notBefore: { ...state.notBefore, port: nowMs + patience(state, times, nowMs) },
    failures: { ...state.failures, port: times + 1 },
  };
}

/** Quick while no port is held, slow while one is. */
function patience(state: PortState, times: number, nowMs: number): number {
  return isHeld(state, nowMs)
    ? doubling(times, minuteMs, hourMs)
    : doubling(times, 5 * secondMs, 2 * minuteMs);
}

function doubling(times: number, firstMs: number, longestMs: number): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(times, 20));
}

function isObjection(kind: PiaError["kind"]): kind is Objection["kind"] {
  return kind === "signature" || kind === "expired" || kind === "busy" || kind === "refused";
}
