import type { Params } from "./params.ts";

export type RecordedCall = {
  method: string;
  /** Without `/api/v2/`, e.g. "torrents/info". */
  name: string;
  /** Passwords are left out. */
  params: Params;
  /** Epoch milliseconds of the fake's clock. */
  at: number;
};

/** The requests the fake got, also those that a fault kept from being answered. */
export class Calls {
  #list: RecordedCall[] = [];

  record(call: RecordedCall): void {
    const { password, ...params } = call.params;
    this.#list.push({ ...call, params: password === undefined ? params : { ...params, password: "***" } });
  }

  /** All of them, or those of one endpoint, oldest first. */
  list(name?: string): readonly RecordedCall[] {
    return name === undefined ? this.#list : this.#list.filter((call) => call.name === name);
  }

  /** How many there were, of one endpoint or of all. */
  count(name?: string): number {
    return this.list(name).length;
  }

  clear(): void {
    this.#list = [];
  }
}
