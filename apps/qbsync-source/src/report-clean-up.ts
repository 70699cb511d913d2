import type { Metrics } from "@qbit-sidecars/service";
import type { CleanUp } from "./clean-up.ts";
import type { Drain, DrainReport } from "./drain.ts";
import type { GroupOutcome } from "./hand-off.ts";

/** The metrics of hand-offs and drains. */
export function cleanUpMetrics(metrics: Metrics, read: { cleanUp: () => CleanUp; drain: () => Drain }) {
  metrics.reading(
    "qbsync_hand_offs_under_way",
    "Torrents that are being handed over.",
    () => read.cleanUp().underWayCount,
  );
  metrics.reading(
    "qbsync_cleanup_waiting_torrents",
    "Torrents that are complete at the destination and still here.",
    () => read.cleanUp().waitingCount,
  );
  metrics.reading(
    "qbsync_data_free_bytes",
    "Bytes that are free where the data is.",
    () => read.cleanUp().freeBytes ?? Number.NaN,
  );
  metrics.reading("qbsync_draining", "1 while a drain hands torrents over.", () =>
    Number(read.drain().isRunning),
  );
  const handOffs = metrics.counter({
    name: "qbsync_hand_offs_total",
    help: "Torrents whose hand-off came to an end.",
    labelNames: ["outcome"],
  });
  const freed = metrics.counter({
    name: "qbsync_cleanup_freed_bytes_total",
    help: "Bytes of removed torrents that nothing else links to.",
  });
  const drains = metrics.counter({
    name: "qbsync_drains_total",
    help: "Requests for a drain.",
    labelNames: ["result"],
  });
  return {
    outcome: (outcome: GroupOutcome["outcome"], torrents: number) =>
      handOffs.inc({ outcome: outcome.replaceAll(" ", "_") }, torrents),
    freed: (bytes: number) => freed.inc(bytes),
    drained: (result: DrainReport["result"]) => drains.inc({ result: result.replaceAll(" ", "_") }),
  };
}
