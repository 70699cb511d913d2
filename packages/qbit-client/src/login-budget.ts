const second = 1000;
const hour = 3600 * second;

/** Waits before the 1st, 2nd, 3rd and 4th try of credentials that keep being refused. */
const waitsMs = [0, 30 * second, hour, 24 * hour] as const;

/**
 * How often a client may show credentials that may be wrong.
 *
 * qBittorrent bans an address at the fifth failed login (`web_ui_max_auth_fail_count`), and its counter falls
 * only with a success, a restart or the end of a ban: it never decays. So four tries are all there are within
 * one life of the server, whatever happens in between, and a try whose answer was lost counts as failed.
 */
export class LoginBudget {
  #tries = 0;
  #lastTry = 0;
  #bannedUntil = 0;

  get tries(): number {
    return this.#tries;
  }

  /** Milliseconds until the next try is allowed: 0 = now, Infinity = not in this life of the server. */
  waitMs(now: number, credentialsChanged: boolean): number {
    const banned = Math.max(0, this.#bannedUntil - now);
    if (banned > 0 || this.#tries === 0) return banned;
    const wait = waitsMs[this.#tries];
    if (wait === undefined) return Infinity;
    return credentialsChanged ? 0 : Math.max(0, this.#lastTry + wait - now);
  }

  bannedMs(now: number): number {
    return Math.max(0, this.#bannedUntil - now);
  }

  /** Called before credentials are sent: until {@link renew} the try counts as failed. */
  spend(now: number): void {
    this.#tries += 1;
    this.#lastTry = now;
  }

  /** The try just spent did not reach the password check. */
  refund(): void {
    this.#tries = Math.max(0, this.#tries - 1);
  }

  /** The server banned this address: when that ends, its counter is back at zero. */
  banned(now: number, banMs: number): void {
    this.#tries = 0;
    this.#bannedUntil = now + banMs;
  }

  /** The server's counter is at zero: a login succeeded, or the server was not running. */
  renew(): void {
    this.#tries = 0;
    this.#bannedUntil = 0;
  }
}
