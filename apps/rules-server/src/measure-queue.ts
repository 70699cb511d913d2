import { type JobQueue, jobStatuses } from "@qbit-sidecars/jobs";
import type { RulesFile } from "@qbit-sidecars/rules-run";
import type { Metrics } from "@qbit-sidecars/service";
import type { QbittorrentWatch } from "./qbittorrent-watch.ts";

type Measured = { queue: JobQueue; rules: RulesFile; qbittorrent: QbittorrentWatch };

/** Gauges that are read when scraped. */
export function measureQueue(metrics: Metrics, { queue, rules, qbittorrent }: Measured): void {
  metrics.gauge({
    name: "qbt_rules_jobs",
    help: "Jobs in the queue, by status.",
    labelNames: ["status"],
    async collect() {
      const counts = await queue.counts().catch(() => undefined);
      for (const status of jobStatuses) this.set({ status }, counts?.[status] ?? Number.NaN);
    },
  });
  metrics.gauge({
    name: "qbt_rules_qbittorrent_up",
    help: "1 when qBittorrent answers.",
    async collect() {
      this.set(Number((await qbittorrent.look()).connected));
    },
  });
  metrics.reading(
    "qbt_rules_rules_in_force",
    "1 when the rules in force are those of the file; 0 when the file is wrong.",
    () => Number(rules.state.status === "ok"),
  );
}
