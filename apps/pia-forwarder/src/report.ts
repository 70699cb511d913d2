import type { LoopStatus, Metrics, PortChange, PortChanges } from "@qbit-sidecars/service";
import type { HoldPortView } from "./hold-port.ts";

/** What a report is made of. */
export type Reported = {
  view: () => HoldPortView;
  holding: () => LoopStatus;
  giving: () => LoopStatus;
  /** The port qBittorrent confirmed last. */
  given: () => number | undefined;
  changes: PortChanges;
  renewBeforeMs: number;
};

/** The body of `GET /status`. No secret is in it. */
export function statusReport({ view, holding, giving, given, changes, renewBeforeMs }: Reported) {
  const { state, held, gateway, trouble } = view();
  const { grant, boundAtMs, renewAtMs, successor, previous, objection, token } = state;
  return {
    running: true,
    held,
    port: grant?.port ?? null,
    ...(held ? {} : { why: holding().reason }),
    bound_at: isoTime(boundAtMs),
    expires_at: isoTime(grant?.expiresAtMs),
    renews_at: isoTime(renewAtMs ?? (grant && grant.expiresAtMs - renewBeforeMs)),
    gateway: gateway ?? null,
    token: token ? { from: token.from, obtained_at: isoTime(token.obtainedAtMs) } : null,
    ...(successor && { next_port: successor.port }),
    ...(previous && { previous_port: previous.grant.port }),
    ...(objection && { objection: objection.kind, objections: objection.times }),
    given: { converged: giving().converged, reason: giving().reason, port: given() ?? null },
    trouble: trouble.map(({ doing, error, sinceMs }) => ({
      doing,
      since: isoTime(sinceMs),
      error: error.name,
      message: error.message,
    })),
    changes: changes.report(),
  };
}

function isoTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

/** Registers the metrics. The gauges are read when scraped. @returns counters of what happens */
export function measure(metrics: Metrics, { view, given }: Pick<Reported, "view" | "given">) {
  metrics.reading("pia_forwarder_port", "The port PIA forwards now; 0 while it forwards none.", () => {
    const { held, state } = view();
    return held ? (state.grant?.port ?? 0) : 0;
  });
  metrics.reading(
    "pia_forwarder_qbittorrent_port",
    "The port qBittorrent confirmed last; 0 before that.",
    () => {
      return given() ?? 0;
    },
  );
  metrics.reading(
    "pia_forwarder_port_expiry_timestamp_seconds",
    "When PIA ends the port; 0 without one.",
    () => seconds(view().state.grant?.expiresAtMs),
  );
  metrics.reading(
    "pia_forwarder_last_bind_timestamp_seconds",
    "When the port was last bound; 0 before that.",
    () => seconds(view().state.boundAtMs),
  );
  metrics.reading("pia_forwarder_trouble", "How many things go wrong that do not cost the port yet.", () => {
    return view().trouble.length;
  });
  const changes = metrics.counter({
    name: "pia_forwarder_changes_total",
    help: "Changes made in qBittorrent or the port file, by kind.",
    labelNames: ["kind"],
  });
  return {
    change: ({ kind }: PortChange) => changes.inc({ kind }),
    failure: metrics.failures("pia_forwarder_failures_total", "What failed, by class of error."),
  };
}

function seconds(ms: number | undefined): number {
  return ms === undefined ? 0 : Math.round(ms / 1000);
}
