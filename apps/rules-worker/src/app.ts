import { keepTidy, openQueueWhenThere } from "@qbit-sidecars/jobs";
import { openRules, openWorker, queueOptions, type RulesFile, type Worker } from "@qbit-sidecars/rules-run";
import { type Service, stopped } from "@qbit-sidecars/service";
import { openQbittorrent } from "@qbit-sidecars/service/qbittorrent";
import type { Config } from "./config.ts";

/** rules-worker: takes runs from the queue, one at a time in all workers, and applies the rules to qBittorrent. */
export async function rulesWorker(config: Config, service: Service): Promise<void> {
  const { log, closers, clock, health, signal } = service;
  let state = "waiting for the queue";
  health.ready("queue", () => ({ ok: state === "", detail: state === "" ? "open" : state }));
  closers.use(await health.listen(config.healthAddr));
  const rules = await openRules(config, service);
  const client = await openQbittorrent(config, service);
  const options = queueOptions(config, { log, clock, hungAfterMs: config.hangTimeout });
  const queue = closers.use(await openQueueWhenThere(options, service));
  state = "";
  for (const warning of queue.warnings) log.warn(warning);
  closers.use(keepTidy(queue, { ...service, olderThanMs: config.queueCleanupAfter }));
  const worker = openWorker(config, service, { queue, rules, client });
  tellHealth(service, worker, rules);
  await stopped(signal);
}

function tellHealth({ health, signal }: Service, worker: Worker, rules: RulesFile): void {
  health.alive("worker", () => {
    const { state } = worker.status();
    return { ok: state !== "stopped" || signal.aborted, detail: state };
  });
  health.ready("rules", () => ({
    ok: rules.state.status !== "none",
    detail: rules.state.status === "ok" ? `version ${rules.state.inForce.version}` : rules.state.status,
  }));
  health.dependency("qbittorrent", () => {
    const { qbittorrentFault } = worker.status();
    return { ok: qbittorrentFault === undefined, detail: qbittorrentFault ?? "answered when last asked" };
  });
}
