import type { PortReading, PortSource } from "./read-port.ts";

/** The forwarded port as it stands, folded from all readings so far. */
export type ForwardedPort = {
  /** The port last forwarded; kept while the VPN forwards none, undefined before the first. */
  port?: number;
  source?: PortSource;
  /**
   * Counts how often the VPN gave a port, the same one again included. Writing an equal port is a no-op in qBittorrent,
   * which then stays deaf on a new tunnel (gluetun #1407, qBittorrent #21288): a new announcement asks for a rebind.
   */
  announcement: number;
  /** Why the last reading held no port; undefined when it held one. */
  why?: string;
  /** Since when the source says "no port", ms on a clock that never jumps. */
  clearedSinceMs?: number;
  /** The source has said "no port" for long enough to believe it. */
  lost: boolean;
  /** The mark of the reading that gave the port. */
  mark?: string;
};

/** Before the first reading. */
export const nothingRead: ForwardedPort = { announcement: 0, lost: false };

/**
 * Folds one reading into what is known.
 *
 * @param nowMs on a clock that never jumps
 * @param lostAfterMs how long the source must say "no port" before it counts as lost; gluetun clears the file for
 *   some seconds at every reconnect
 */
export function followPort(
  known: ForwardedPort,
  reading: PortReading,
  { nowMs, lostAfterMs }: { nowMs: number; lostAfterMs: number },
): ForwardedPort {
  if (reading.kind === "port") {
    const { port, source, mark } = reading;
    const announcement = known.announcement + (announces(known, reading) ? 1 : 0);
    return { port, source, announcement, lost: false, ...(mark === undefined ? {} : { mark }) };
  }
  // Junk or a lost read permission is no word of the VPN's: it neither takes a port away nor gives one back.
  const clearedSinceMs = known.clearedSinceMs ?? (reading.cleared ? nowMs : undefined);
  if (clearedSinceMs === undefined) return { ...known, why: reading.why };
  return { ...known, why: reading.why, clearedSinceMs, lost: nowMs - clearedSinceMs >= lostAfterMs };
}

function announces(known: ForwardedPort, reading: PortReading & { kind: "port" }): boolean {
  if (known.port !== reading.port) return true;
  if (known.mark !== undefined && reading.mark !== undefined) return known.mark !== reading.mark;
  return known.clearedSinceMs !== undefined;
}
