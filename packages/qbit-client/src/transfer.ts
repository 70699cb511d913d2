import * as z from "zod/mini";
import { wholeNumber } from "./answer.ts";
import type { Caller, CallOptions } from "./call.ts";

/** `transfer/info`. Speeds are bytes per second, data are bytes of this session. */
export interface TransferInfo {
  [field: string]: unknown;
  /**
   * `disconnected`: not listening; `firewalled`: listening, but nobody has connected since the start;
   * `connected`: somebody has (it stays so, even if the port is closed later).
   */
  connection_status: string;
  dl_info_speed: number;
  up_info_speed: number;
  dl_info_data: number;
  up_info_data: number;
  dht_nodes?: number | undefined;
  /** 5.1+; "" when unknown. */
  last_external_address_v4?: string | undefined;
  last_external_address_v6?: string | undefined;
}

/** `client.transfer`: the whole session's traffic. */
export class TransferApi {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  async info(options: CallOptions = {}): Promise<TransferInfo> {
    const answer = await this.#caller.call("transfer/info", options);
    return answer.json(transferInfoSchema());
  }

  /** Whether the alternative speed limits are in force. */
  async alternativeLimits(options: CallOptions = {}): Promise<boolean> {
    const answer = await this.#caller.call("transfer/speedLimitsMode", options);
    return wholeNumber(answer) === 1;
  }

  /** Before 4.5 by reading, and switching if need be. */
  async setAlternativeLimits(on: boolean, options: CallOptions = {}): Promise<void> {
    const capabilities = await this.#caller.capabilities(options);
    if (capabilities.supports("transfer/setSpeedLimitsMode")) {
      await this.#caller.call("transfer/setSpeedLimitsMode", { ...options, params: { mode: on ? 1 : 0 } });
    } else if ((await this.alternativeLimits(options)) !== on) {
      await this.toggleAlternativeLimits(options);
    }
  }

  async toggleAlternativeLimits(options: CallOptions = {}): Promise<void> {
    await this.#caller.call("transfer/toggleSpeedLimitsMode", options);
  }

  /** The limit in force, in bytes per second; 0: none. */
  async downloadLimit(options: CallOptions = {}): Promise<number> {
    return wholeNumber(await this.#caller.call("transfer/downloadLimit", options));
  }

  /** Sets the limit in force (normal or alternative), in bytes per second; 0: none. */
  async setDownloadLimit(limit: number, options: CallOptions = {}): Promise<void> {
    await this.#caller.call("transfer/setDownloadLimit", { ...options, params: { limit } });
  }

  /** The limit in force, in bytes per second; 0: none. */
  async uploadLimit(options: CallOptions = {}): Promise<number> {
    return wholeNumber(await this.#caller.call("transfer/uploadLimit", options));
  }

  /** Sets the limit in force (normal or alternative), in bytes per second; 0: none. */
  async setUploadLimit(limit: number, options: CallOptions = {}): Promise<void> {
    await this.#caller.call("transfer/setUploadLimit", { ...options, params: { limit } });
  }

  /** Peers as `host:port`, in all torrents and for good. Invalid ones are ignored. */
  async banPeers(peers: readonly string[], options: CallOptions = {}): Promise<void> {
    if (peers.length === 0) return;
    await this.#caller.call("transfer/banPeers", { ...options, params: { peers: peers.join("|") } });
  }
}

const transferInfoSchema = () =>
  z.looseObject({
    connection_status: z.string(),
    dl_info_speed: z.number(),
    up_info_speed: z.number(),
    dl_info_data: z.number(),
    up_info_data: z.number(),
  });
