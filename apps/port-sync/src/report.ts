import type { LoopStatus, Metrics, PortChange, PortChanges } from "@qbit-sidecars/service";
import type { SyncView } from "./sync-port.ts";

/** The two things a report is made of. */
export type Reported = { view: () => SyncView; loop: () => LoopStatus };

/** The body of `GET /status`: both sides, whether they agree, and the last ten changes, newest first. */
export function statusReport({ view, loop, changes }: Reported & { changes: PortChanges }) {
  const { forwarded, listening } = view();
  const { converged, reason, failures, lastSuccessAt } = loop();
  return {
    converged,
    reason,
    forwarded: {
      port: forwarded.port ?? null,
      source: forwarded.source ?? null,
      announcement: forwarded.announcement,
      lost: forwarded.lost,
      ...(forwarded.why === undefined ? {} : { why: forwarded.why }),
    },
    qbittorrent: listening
      ? {
          listen_port: listening.listenPort,
          random_port: listening.randomPort,
          upnp: listening.upnp,
          connection_status: listening.connection,
          seen_at: listening.seenAt.toISOString(),
        }
      : null,
    failures_in_a_row: failures,
    last_success_at: lastSuccessAt === undefined ? null : new Date(lastSuccessAt).toISOString(),
    changes: changes.report(),
  };
}

/**
 * Registers port-sync's metrics. The gauges are read when scraped.
 *
 * @returns counts one change, or one failure by the class of its error
 */
export function measure(metrics: Metrics, { view, loop }: Reported, now: () => number) {
  metrics.reading("port_sync_desired_port", "The forwarded port; 0 while the VPN forwards none.", () => {
    const { port, why } = view().forwarded;
    return why === undefined ? (port ?? 0) : 0;
  });
  metrics.reading(
    "port_sync_actual_port",
    "The port qBittorrent listened on when last asked; 0 before that.",
    () => {
      return view().listening?.listenPort ?? 0;
    },
  );
  metrics.reading("port_sync_converged", "1 when qBittorrent listens on the forwarded port.", () =>
    Number(loop().converged),
  );
  metrics.reading(
    "port_sync_seconds_since_last_success",
    "Seconds since the two were last seen equal; -1 before that.",
    () => {
      const { lastSuccessAt } = loop();
      return lastSuccessAt === undefined ? -1 : Math.max(0, (now() - lastSuccessAt) / 1000);
    },
  );
  const syncs = metrics.counter({ name: "port_sync_syncs_total", help: "Changes made in qBittorrent." });
  const rebinds = metrics.counter({
    name: "port_sync_rebinds_total",
    help: "Times the same port was taken anew, by reason.",
    labelNames: ["reason"],
  });
  return {
    change: ({ kind, why }: PortChange) => {
      syncs.inc();
      if (kind === "rebind") rebinds.inc({ reason: why });
    },
    failure: metrics.failures("port_sync_failures_total", "Steps that failed, by class of error."),
  };
}
