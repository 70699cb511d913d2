import type { Rejection } from "@qbit-sidecars/qbsync-protocol";
import type { Logger } from "@qbit-sidecars/service";

/** The same one who knocks in the same way is told of so often. */
const everyMs = 60_000;

/** So many different ones are kept apart; of further ones the oldest is forgotten. */
const knownAtMost = 200;

/** And so many lines a minute are written at all, whoever knocks. */
const linesAtMost = 20;

/** Tells the log who was refused and why, in so few lines that nobody can fill a disk with them by knocking. */
export class TellRejections {
  readonly #log: Pick<Logger, "warn">;
  readonly #now: () => number;
  readonly #known = new Map<string, { at: number; since: number }>();
  #minute = { at: Number.NEGATIVE_INFINITY, lines: 0 };

  /** @param now monotonic, in milliseconds */
  constructor(log: Pick<Logger, "warn">, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  tell({ reason, peer, detail }: Rejection): void {
    const now = this.#now();
    // Each connection has another port.
    const from = peer.slice(0, peer.lastIndexOf(":"));
    const key = `${reason} ${from}`;
    const known = this.#known.get(key);
    if (known !== undefined && now - known.at < everyMs) {
      known.since += 1;
      return;
    }
    if (!this.#hasLine(now)) return;
    this.#known.delete(key);
    this.#known.set(key, { at: now, since: 0 });
    const [oldest] = this.#known.keys();
    if (this.#known.size > knownAtMost && oldest !== undefined) this.#known.delete(oldest);
    const more =
      known === undefined || known.since === 0 ? "" : ` (and ${known.since} times since the last line)`;
    this.#log.warn({ reason, from }, `refused ${from}: ${detail}${more}`);
  }

  #hasLine(now: number): boolean {
    if (now - this.#minute.at >= everyMs) this.#minute = { at: now, lines: 0 };
    this.#minute.lines += 1;
    return this.#minute.lines <= linesAtMost;
  }
}
