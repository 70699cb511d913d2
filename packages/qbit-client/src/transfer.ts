import * as z from "zod/mini";
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
}

const transferInfoSchema = () =>
  z.looseObject({
    connection_status: z.string(),
    dl_info_speed: z.number(),
    up_info_speed: z.number(),
    dl_info_data: z.number(),
    up_info_data: z.number(),
  });
