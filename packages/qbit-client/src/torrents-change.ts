import type { Caller, CallOptions, Params } from "./call.ts";
import type { EndpointName } from "./endpoints.ts";
import { type Hashes, hashesParam } from "./hashes.ts";

/** What can be done to torrents that are there. An empty list of hashes does nothing, without a request. */
export class TorrentsChange {
  protected readonly caller: Caller;

  constructor(caller: Caller) {
    this.caller = caller;
  }

  /** Tells the trackers and asks for peers again, now. */
  async reannounce(hashes: Hashes, options: CallOptions = {}): Promise<void> {
    await this.#change("torrents/reannounce", { hashes }, options);
  }

  async #change(
    endpoint: EndpointName,
    change: { hashes: Hashes; params?: Params },
    options: CallOptions,
  ): Promise<void> {
    const hashes = hashesParam(change.hashes);
    if (hashes === undefined) return;
    await this.caller.call(endpoint, { ...options, params: { hashes, ...change.params } });
  }
}
