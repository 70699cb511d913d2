import type { LoopStatus, Metrics } from "@qbit-sidecars/service";
import type { Delivery } from "./deliver-notices.ts";
import type { DownloadEvent } from "./follow-downloads.ts";
import type { Ledger } from "./ledger.ts";
import { noticeKinds } from "./outbox.ts";

export type Reported = {
  ledger: Ledger;
  watching: () => LoopStatus;
  delivering: () => LoopStatus;
  inPlace: () => boolean | undefined;
};

/** The body of `GET /status`. */
export function statusReport({ ledger, watching, delivering, inPlace }: Reported) {
  return {
    qbittorrent: { ok: watching().failures === 0, reason: watching().reason },
    ntfy: { ok: delivering().converged, reason: delivering().reason, updates_in_place: inPlace() ?? null },
    tracked: [...ledger.tracked.values()].map(({ ref, download, card, toldError, toldStalled }) => ({
      hash: ref,
      name: download?.name ?? null,
      state: download?.state ?? null,
      percent: download?.percent ?? null,
      told_percent: card ?? null,
      error: toldError,
      stalled: toldStalled,
    })),
    outbox: ledger.outbox.list.map(({ kind, sequence }) => ({ kind, sequence })),
  };
}

/** Registers the app's metrics; gauges are read when scraped. @returns what counts */
export function measure(metrics: Metrics, ledger: Ledger) {
  metrics.reading(
    "ntfy_sidecar_tracked_torrents",
    "Torrents that are watched until they are complete or gone.",
    () => ledger.tracked.size,
  );
  metrics.reading("ntfy_sidecar_outbox_notices", "Notices that wait to be sent.", () => ledger.outbox.size);
  const events = metrics.counter({
    name: "ntfy_sidecar_events_total",
    help: "What was seen of downloads, told or not.",
    labelNames: ["kind"],
  });
  const looks = metrics.counter({
    name: "ntfy_sidecar_qbittorrent_looks_total",
    help: "Questions to qBittorrent, each for all torrents.",
  });
  const sent = metrics.counter({
    name: "ntfy_sidecar_notices_sent_total",
    help: "Notices that ntfy took, by kind.",
    labelNames: ["kind"],
  });
  const dropped = metrics.counter({
    name: "ntfy_sidecar_notices_dropped_total",
    help: "Notices that ntfy refuses in any wording, by kind.",
    labelNames: ["kind"],
    fromStart: noticeKinds.map((kind) => ({ kind })),
  });
  return {
    event: ({ kind }: DownloadEvent) => events.inc({ kind }),
    look: () => looks.inc(),
    delivery: ({ kind, notice }: Delivery) => (kind === "sent" ? sent : dropped).inc({ kind: notice.kind }),
    failure: metrics.failures("ntfy_sidecar_failures_total", "Failed steps by class of error."),
  };
}
