import { type JobQueue, keepTidy, openQueueWhenThere } from "@qbit-sidecars/jobs";
import { openRules, openWorker, queueOptions, type Worker } from "@qbit-sidecars/rules-run";
import { type Service, stopped } from "@qbit-sidecars/service";
import { openQbittorrent } from "@qbit-sidecars/service/qbittorrent";
import { ApiKeys } from "./api-keys.ts";
import { buildApi } from "./api/build-api.ts";
import { endpoints } from "./api/endpoints.ts";
import { addEvents } from "./api/events.ts";
import { pageEndpoints } from "./api/page-endpoints.ts";
import type { Config } from "./config.ts";
import { listenHttp } from "./listen-http.ts";
import { measureQueue } from "./measure-queue.ts";
import { addPage } from "./page.ts";
import { pageFiles } from "./page-files.inlined.ts";
import { QbittorrentWatch } from "./qbittorrent-watch.ts";
import { type Build, makeReports } from "./reports.ts";
import { RuleHits } from "./rule-hits.ts";
import { runSchedules } from "./run-schedules.ts";
import type { Schedule } from "./schedules.ts";

export type ServerOptions = {
  readonly schedules: readonly Schedule[];
  readonly build: Build;
  /** What to say once there is a log. */
  readonly warnings: readonly string[];
};

/** A Redis that starts at the same time is waited for. */
const queueWithinMs = 60_000;

/** `qbt-rules --serve`: API, schedules and, unless told otherwise, the worker, over one queue. */
export async function rulesServer(config: Config, service: Service, options: ServerOptions): Promise<void> {
  const { log, closers, clock, health, metrics, signal } = service;
  for (const warning of options.warnings) log.warn(warning);
  const queue = closers.use(
    await openQueueWhenThere(queueOptions(config, { log, clock, hungAfterMs: config.hangTimeout }), {
      ...service,
      withinMs: queueWithinMs,
    }),
  );
  for (const warning of queue.warnings) log.warn(warning);
  const rules = await openRules(config, service);
  const client = await openQbittorrent(config, service);
  const worker = config.worker === "on" ? openWorker(config, service, { queue, rules, client }) : undefined;
  const qbittorrent = new QbittorrentWatch(client, { clock });
  const hits = closers.use(new RuleHits(queue, log));
  const { version } = service;
  const reports = makeReports({
    queue,
    rules,
    hits,
    worker,
    qbittorrent,
    version,
    clock,
    signal,
    build: options.build,
  });
  const { dryRun, settleDelay: settleDelayMs, serverApiKey } = config;
  // The settings see to it that there is one.
  if (serverApiKey === undefined) throw new Error("starting the API: there is no key");
  const page = await pageFiles();
  const app = buildApi({
    endpoints: [
      ...endpoints({ queue, rules, reports, dryRun, settleDelayMs }),
      ...pageEndpoints({ client, rulesPath: rules.path }),
    ],
    keys: new ApiKeys(serverApiKey, { clock, log }),
    health,
    metrics,
    log,
    version,
    extend(api, guard) {
      addEvents(api, guard, queue);
      addPage(api, page);
    },
  });
  measureQueue(metrics, { queue, rules, qbittorrent });
  tellHealth(service, { queue, worker, qbittorrent });
  closers.use(await listenHttp(app, { host: config.serverHost, port: config.serverPort, log }));
  const { probeAddr } = config;
  if (probeAddr !== undefined && probeAddr.port !== config.serverPort)
    closers.use(await health.listen(probeAddr));
  closers.use(keepTidy(queue, { ...service, olderThanMs: config.queueCleanupAfter }));
  runSchedules(options.schedules, { ...service, queue, dryRun });
  await stopped(signal);
}

type Watched = { queue: JobQueue; worker: Worker | undefined; qbittorrent: QbittorrentWatch };

function tellHealth({ health, signal }: Service, { queue, worker, qbittorrent }: Watched): void {
  health.ready("queue", async () => await queue.health());
  health.dependency("qbittorrent", async () => {
    const { connected, message } = await qbittorrent.look();
    return { ok: connected, detail: message };
  });
  if (worker === undefined) return;
  health.alive("worker", () => {
    const { state } = worker.status();
    return { ok: state !== "stopped" || signal.aborted, detail: state };
  });
}
