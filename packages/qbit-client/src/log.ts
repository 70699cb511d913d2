import * as z from "zod/mini";
import type { Caller, CallOptions } from "./call.ts";

export interface LogEntry {
  [field: string]: unknown;
  id: number;
  message: string;
  /** Seconds since the epoch (milliseconds on the wire up to 4.5). */
  timestamp: number;
  /** 1 normal, 2 information, 4 warning, 8 critical. */
  type: number;
}

export interface PeerLogEntry {
  [field: string]: unknown;
  id: number;
  ip: string;
  /** Seconds since the epoch (milliseconds on the wire up to 4.5). */
  timestamp: number;
  blocked: boolean;
  reason: string;
}

/** `client.log`: what qBittorrent has written since its start. */
export class LogApi {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Entries after `lastKnownId`, oldest first. */
  async main(options: CallOptions & { lastKnownId?: number } = {}): Promise<LogEntry[]> {
    const params = { last_known_id: options.lastKnownId };
    const answer = await this.#caller.call("log/main", { ...options, params });
    const entry = z.looseObject({
      id: z.number(),
      message: z.string(),
      timestamp: z.number(),
      type: z.number(),
    });
    return answer.json(z.array(entry)).map(inSeconds);
  }

  /** Peers that were blocked or banned, after `lastKnownId`. */
  async peers(options: CallOptions & { lastKnownId?: number } = {}): Promise<PeerLogEntry[]> {
    const params = { last_known_id: options.lastKnownId };
    const answer = await this.#caller.call("log/peers", { ...options, params });
    const entry = z.looseObject({
      id: z.number(),
      ip: z.string(),
      timestamp: z.number(),
      blocked: z.boolean(),
      reason: z.string(),
    });
    return answer.json(z.array(entry)).map(inSeconds);
  }
}

// No log entry is from after the year 5138, so larger numbers are milliseconds.
function inSeconds<T extends { timestamp: number }>(entry: T): T {
  return entry.timestamp < 1e11 ? entry : { ...entry, timestamp: entry.timestamp / 1000 };
}
