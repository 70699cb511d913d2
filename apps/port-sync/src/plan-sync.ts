import type { ForwardedPort } from "./follow-port.ts";

/** What qBittorrent says of its listening socket. */
export type Listening = {
  listenPort: number;
  randomPort: boolean;
  upnp: boolean;
  /** `disconnected` is qBittorrent's word for "not listening"; `firewalled` listens, but nobody came in yet. */
  connection: "connected" | "firewalled" | "disconnected";
};

/** What the user asked for. */
export type Policy = {
  onPortLost: "keep" | "park";
  /** Where qBittorrent listens while the VPN forwards nothing, under `park`. */
  parkPort: number;
  disableUpnp: boolean;
  /** How long qBittorrent may report `disconnected` before it is made to listen anew; 0 = for ever. */
  rebindAfterMs: number;
};

/** Why qBittorrent is made to take the port again although the number is right. */
type RebindReason = "announced again" | "asked for" | "disconnected";

/** What has happened so far, as far as deciding needs it. */
export type Past = {
  /** The announcement that qBittorrent last listened on; undefined before the first sync of this process. */
  syncedAnnouncement?: number;
  rebindAsked: boolean;
  /** Since when qBittorrent has reported `disconnected`, ms on a clock that never jumps. */
  disconnectedSinceMs?: number;
  /** Rebinds that did not cure the present disconnection; each doubles the wait for the next. */
  vainRebinds: number;
};

/** The change to make, one of: nothing, other settings, or the same port taken anew. */
export type Plan =
  | { change: "none"; port: number }
  | { change: "set"; port: number; why: string }
  | { change: "rebind"; port: number; why: RebindReason }
  | { change: "wait"; why: string };

const longestRebindWaitMs = 30 * 60_000;

/** All that a plan depends on. `nowMs` is on a clock that never jumps. */
type State = { forwarded: ForwardedPort; listening: Listening; policy: Policy; past: Past; nowMs: number };

/** Compares what should be with what is. Pure: the same state gives the same plan. */
export function planSync(state: State): Plan {
  const { forwarded, listening, policy } = state;
  if (forwarded.lost && policy.onPortLost === "park") return planPark(listening, policy, forwarded);
  if (forwarded.port === undefined || forwarded.why !== undefined) {
    return { change: "wait", why: forwarded.why ?? "no port was read yet" };
  }
  const { port } = forwarded;
  const differs = difference(listening, port, policy);
  // A new number makes qBittorrent listen anew by itself; an equal one has to be taken again on purpose.
  const again = listening.listenPort === port ? rebindReason(state, forwarded) : undefined;
  if (again !== undefined) return { change: "rebind", port, why: again };
  return differs === undefined ? { change: "none", port } : { change: "set", port, why: differs };
}

/** How a parked qBittorrent is told of. */
export function parkedOn(port: number): string {
  return `qBittorrent is parked on ${port}`;
}

function planPark(listening: Listening, policy: Policy, forwarded: ForwardedPort): Plan {
  const why = forwarded.why ?? "the VPN forwards no port";
  const port = policy.parkPort;
  if (difference(listening, port, policy) !== undefined) return { change: "set", port, why };
  return { change: "wait", why: `${why}; ${parkedOn(port)}` };
}

function difference(listening: Listening, port: number, policy: Policy): string | undefined {
  if (listening.listenPort !== port) return `it listened on ${listening.listenPort}`;
  if (listening.randomPort) return "it would have taken a random port at its next start";
  if (policy.disableUpnp && listening.upnp) return "UPnP was on";
  return undefined;
}

function rebindReason({ past, policy, nowMs }: State, forwarded: ForwardedPort): RebindReason | undefined {
  if (past.rebindAsked) return "asked for";
  // Before the first sync of this process nobody knows what qBittorrent has missed; "disconnected" then tells.
  const announcedAgain =
    past.syncedAnnouncement !== undefined && past.syncedAnnouncement !== forwarded.announcement;
  if (announcedAgain) return "announced again";
  return disconnectedTooLong(past, policy, nowMs) ? "disconnected" : undefined;
}

function disconnectedTooLong(
  { disconnectedSinceMs, vainRebinds }: Past,
  policy: Policy,
  nowMs: number,
): boolean {
  if (policy.rebindAfterMs === 0 || disconnectedSinceMs === undefined) return false;
  const longestMs = Math.max(longestRebindWaitMs, policy.rebindAfterMs);
  return nowMs - disconnectedSinceMs >= Math.min(policy.rebindAfterMs * 2 ** vainRebinds, longestMs);
}
