import { PieceAnswer_Outcome as Outcome } from "@qbit-sidecars/qbsync-protocol";
import type { Metrics } from "@qbit-sidecars/service";
import type { PieceSender, SenderEvents } from "./send-pieces.ts";
import type { Tags, TrackedTorrent } from "./tracked-torrent.ts";

type Gauged = {
  torrents: ReadonlyMap<string, TrackedTorrent>;
  sender: Pick<PieceSender, "inFlightBytes" | "inFlightPieces">;
  lanes: () => number;
};

/** The metrics that are counted as things happen; their names are those people know from qb-sync. */
export function countMetrics(metrics: Metrics) {
  const counter = (name: string, help: string) => metrics.counter({ name, help });
  const outcomes = metrics.counter({
    name: "qbsync_sync_outcomes_total",
    help: "Torrents that were synced, failed, or were dropped because they were removed here.",
    labelNames: ["mode", "result"],
    fromStart: ["synced", "failed", "aborted"].map((result) => ({ mode: "source", result })),
  });
  const calls = metrics.counter({
    name: "qbsync_qb_api_calls_total",
    help: "Requests to qBittorrent.",
    labelNames: ["mode", "operation"],
  });
  const latency = metrics.histogram({
    name: "qbsync_piece_rtt_seconds",
    help: "From a piece being taken up to its being written at the destination.",
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
  });
  const sent = counter("qbsync_pieces_sent_bytes_total", "Bytes of pieces handed to the network.");
  const acked = counter("qbsync_pieces_acked_total", "Pieces that were written at the destination.");
  const failed = counter("qbsync_pieces_failed_total", "Pieces that the destination did not take.");
  const unreadable = metrics.counter({
    name: "qbsync_pieces_unreadable_total",
    help: "Pieces that qBittorrent has and that could not be read here with the right hash.",
    labelNames: ["reason"],
  });
  const stale = counter(
    "qbsync_stale_pieces_total",
    "Pieces that were not answered for within --piece-timeout.",
  );
  const reconnects = counter("qbsync_stream_reconnects_total", "Times the destination was reached again.");
  return {
    outcome: (result: string) => outcomes.inc({ mode: "source", result }),
    call: (operation: string) => calls.inc({ mode: "source", operation }),
    unreadable: (reason: string) => unreadable.inc({ reason }),
    reconnected: () => reconnects.inc(),
    sender: {
      sent: (bytes) => sent.inc(bytes),
      answered(outcome, sinceMs) {
        if (outcome === Outcome.WRITTEN) {
          acked.inc();
          if (sinceMs !== undefined) latency.observe(sinceMs / 1000);
        } else if (refusals.has(outcome)) failed.inc();
      },
      stale: (pieces) => stale.inc(pieces),
    } satisfies Partial<SenderEvents>,
  };
}

const refusals: ReadonlySet<Outcome> = new Set([
  Outcome.HASH_MISMATCH,
  Outcome.REFUSED,
  Outcome.FAILED,
  Outcome.PAUSED,
]);

/** The metrics that are read when scraped. */
export function gaugeMetrics(metrics: Metrics, { torrents, sender, lanes }: Gauged): void {
  metrics.reading("qbsync_inflight_pieces", "Pieces on their way.", () => sender.inFlightPieces);
  metrics.reading("qbsync_inflight_bytes", "Bytes of pieces on their way.", () => sender.inFlightBytes);
  metrics.reading("qbsync_grpc_connections_active", "Connections that carry pieces.", lanes);
  metrics.reading(
    "qbsync_active_torrents",
    "Torrents that are not synced yet and nothing stands in their way.",
    () => {
      return [...torrents.values()].filter(({ isFinished, failure }) => !isFinished && failure === undefined)
        .length;
    },
  );
  metrics.reading("qbsync_finished_torrents", "Torrents that are complete at the destination.", () => {
    return [...torrents.values()].filter(({ isFinished }) => isFinished).length;
  });
}

/** Every torrent that qBittorrent has, and how far it is or why not: the body of `GET /status`. */
export function torrentsReport(
  torrents: Iterable<TrackedTorrent>,
  { tags, now }: { tags: Tags; now: number },
) {
  return [...torrents].map((tracked) => {
    const { progress, torrent, isFinished } = tracked;
    const obstacle = tracked.obstacle(tags, now);
    return {
      id: tracked.id,
      name: torrent.name,
      state: isFinished
        ? "synced"
        : (obstacle ?? (tracked.isOpen ? "syncing" : "waiting for the destination")),
      live: tracked.isLive,
      // What is selected of it, how much of that qBittorrent has, and how much the destination has.
      size_bytes: torrent.size,
      here: torrent.progress,
      there_bytes: isFinished ? torrent.size : thereBytes(tracked),
      pieces: progress?.pieceCount ?? null,
      // Before it is open at the destination nobody knows.
      needed: isFinished ? 0 : tracked.isOpen ? (progress?.neededCount ?? null) : null,
      ready: progress?.readyCount ?? null,
      in_flight: progress?.inFlightCount ?? null,
      written_not_durable: progress?.undurableCount ?? null,
    };
  });
}

function thereBytes({ progress, described, torrent, isOpen }: TrackedTorrent): number | null {
  if (!isOpen || progress === undefined || described === undefined) return null;
  return Math.max(0, torrent.size - progress.neededCount * described.layout.pieceLength);
}
