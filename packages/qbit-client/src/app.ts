import * as z from "zod/mini";
import type { Call, Caller, CallOptions } from "./call.ts";
import type { Preferences } from "./preferences.ts";

/** `client.app`: the application and its preferences. */
export class AppApi {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Every preference of this qBittorrent, under its own names and in its own units. */
  async preferences(options: CallOptions = {}): Promise<Preferences> {
    const answer = await this.#caller.call("app/preferences", options);
    return answer.json(preferencesSchema());
  }

  /**
   * Changes the preferences named and leaves the others. qBittorrent takes effect asynchronously and ignores
   * names it does not know.
   *
   * Up to 4.3.0 (Web API 2.6.0) qBittorrent resets `add_trackers_enabled` and `add_trackers` whenever they are
   * not named; there they are read first and sent along.
   */
  async setPreferences(changes: Partial<Preferences>, options: CallOptions = {}): Promise<void> {
    const capabilities = await this.#caller.capabilities(options);
    const forgotten = capabilities.atLeast("2.6.1") ? {} : await this.#extraTrackers(options);
    const call: Call = { ...options, params: { json: JSON.stringify({ ...forgotten, ...changes }) } };
    await this.#caller.call("app/setPreferences", call);
  }

  async #extraTrackers(options: CallOptions): Promise<Partial<Preferences>> {
    const { add_trackers_enabled, add_trackers } = await this.preferences(options);
    return {
      ...(add_trackers_enabled === undefined ? {} : { add_trackers_enabled }),
      ...(add_trackers === undefined ? {} : { add_trackers }),
    };
  }
}

const preferencesSchema = () =>
  z.looseObject({
    listen_port: z.number(),
    random_port: z.optional(z.boolean()),
    upnp: z.optional(z.boolean()),
  });
