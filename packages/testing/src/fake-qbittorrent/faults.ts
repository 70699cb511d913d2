/**
 * What goes wrong on the way. `applied` says whether qBittorrent did what it was asked before it happened; default
 * false, except for "truncated", where it has begun to answer.
 */
export type Fault =
  /** The answer is late by so many milliseconds of the fake's clock. */
  | { kind: "latency"; ms: number }
  /** No answer at all; the connection stays open. */
  | { kind: "hang"; applied?: boolean }
  /** The connection is reset. */
  | { kind: "reset"; applied?: boolean }
  /** The answer stops in its middle, and so does the connection. */
  | { kind: "truncated"; applied?: boolean }
  /** Another answer, e.g. 502 of a proxy. */
  | { kind: "answer"; status: number; body?: string; headers?: Record<string, string>; applied?: boolean };

/** Which requests: "torrents/info" (without `/api/v2/`), or "*" for all. */
export type Where = string;

type Planned = { where: Where; fault: Fault; left: number };

/** Faults by endpoint: one-shot ones first, then the standing ones; the endpoint's own before those for all. */
export class Faults {
  #planned: Planned[] = [];

  /** From now on, until `clear` or the next `set` for the same requests. */
  set(where: Where, fault: Fault): void {
    this.#planned = this.#planned.filter(
      (planned) => planned.where !== where || Number.isFinite(planned.left),
    );
    this.#planned.push({ where, fault, left: Number.POSITIVE_INFINITY });
  }

  /** For the next request (or the next `times`). */
  next(where: Where, fault: Fault, times = 1): void {
    this.#planned.push({ where, fault, left: times });
  }

  clear(): void {
    this.#planned = [];
  }

  /** Takes the fault this request meets. */
  take(name: string): Fault | undefined {
    const met = (where: Where) => where === name || where === "*";
    const candidates = this.#planned.filter(({ where }) => met(where));
    const once = candidates.find(({ left }) => Number.isFinite(left));
    const planned = once ?? candidates.find(({ where }) => where === name) ?? candidates[0];
    if (planned === undefined) return undefined;
    planned.left--;
    this.#planned = this.#planned.filter(({ left }) => left > 0);
    return planned.fault;
  }
}
