import type { Caller, CallOptions } from "./call.ts";
import type { Session } from "./session.ts";

/** `client.auth`. Nobody needs it for normal calls: they log in by themselves. */
export class AuthApi {
  readonly #caller: Caller;
  readonly #session: Session;

  constructor(caller: Caller, session: Session) {
    this.#caller = caller;
    this.#session = session;
  }

  /** With a password: logs in now rather than with the first call. Otherwise there is nothing to do. */
  async login(options: CallOptions = {}): Promise<void> {
    await this.#session.open(options.signal);
  }

  /** Ends the session in qBittorrent; the next call opens a new one. */
  async logout(options: CallOptions = {}): Promise<void> {
    if (!this.#session.hasCookie) return;
    await this.#caller.call("auth/logout", options);
    this.#session.forget();
  }
}
