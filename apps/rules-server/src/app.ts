import { type JobQueue, openQueue, QueueOpenError } from "@qbit-sidecars/jobs";
import { ClientQbittorrent } from "@qbit-sidecars/rules";
import {
  auditPath,
  openAuditLog,
  outsideSettingsOf,
  queueOptions,
  RulesFile,
  rulesPath,
  startWorker,
  torrentNames,
  type Worker,
} from "@qbit-sidecars/rules-run";
import { type Service, stopped } from "@qbit-sidecars/service";
import { openQbittorrent } from "@qbit-sidecars/service/qbittorrent";
import { ApiKeys } from "./api-keys.ts";
import { buildApi } from "./api/build-api.ts";
import { endpoints } from "./api/endpoints.ts";
import { addEvents } from "./api/events.ts";
import { cleanUp } from "./clean-up.ts";
import type { Config } from "./config.ts";
import { listenHttp } from "./listen-http.ts";
import { measureQueue } from "./measure-queue.ts";
import { addPage } from "./page.ts";
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

type Qbittorrent = Awaited<ReturnType<typeof openQbittorrent>>;

/** `qbt-rules --serve`: API, schedules and, unless told otherwise, the worker, over one queue. */
export async function rulesServer(config: Config, service: Service, options: ServerOptions): Promise<void> {
  const { log, closers, clock, health, metrics, signal } = service;
  for (const warning of options.warnings) log.warn(warning);
  const queue = closers.use(await openPatiently(config, service));
  for (const warning of queue.warnings) log.warn(warning);
  const rules = new RulesFile({ path: rulesPath(config), strict: config.rulesStrict, log });
  await rules.look();
  closers.use(rules.watch());
  const client = await openQbittorrent(config, service);
  const worker =
    config.worker === "on" ? embeddedWorker({ config, service, queue, rules, client }) : undefined;
  const qbittorrent = new QbittorrentWatch(client, clock);
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
  const app = buildApi({
    endpoints: endpoints({ queue, rules, reports, dryRun, settleDelayMs }),
    keys: new ApiKeys(serverApiKey, { clock, log }),
    health,
    metrics,
    log,
    version,
    extend(api, guard) {
      addEvents(api, guard, queue);
      addPage(api);
    },
  });
  measureQueue(metrics, { queue, rules, qbittorrent });
  tellHealth(service, { queue, worker, qbittorrent });
  closers.use(await listenHttp(app, { host: config.serverHost, port: config.serverPort, log }));
  const { probeAddr } = config;
  if (probeAddr !== undefined && probeAddr.port !== config.serverPort)
    closers.use(await health.listen(probeAddr));
  closers.use(cleanUp(queue, { ...service, olderThanMs: config.queueCleanupAfter }));
  runSchedules(options.schedules, { ...service, queue, dryRun });
  await stopped(signal);
}

const startingMs = 60_000;
const retryMs = 1000;

/** A Redis that starts at the same time is waited for; everything else that is wrong stays so. */
async function openPatiently(config: Config, { log, clock, signal }: Service): Promise<JobQueue> {
  const options = queueOptions(config, { log, clock, hungAfterMs: config.hangTimeout });
  const startedAt = clock.monotonic();
  for (;;) {
    try {
      return await openQueue(options);
    } catch (err) {
      const isLate = clock.monotonic() - startedAt > startingMs;
      if (isLate || !(err instanceof QueueOpenError) || err.fault !== "unreachable") throw err;
      log.warn({ err }, "waiting for the queue");
      await clock.sleep(retryMs, signal);
    }
  }
}

type Engine = {
  config: Config;
  service: Service;
  queue: JobQueue;
  rules: RulesFile;
  client: Qbittorrent;
};

function embeddedWorker({ config, service, queue, rules, client }: Engine): Worker {
  return service.closers.use(
    startWorker({
      ...service,
      queue,
      rules,
      qbittorrent: new ClientQbittorrent(client),
      names: torrentNames(client),
      outsideSettings: outsideSettingsOf(config),
      audit: openAuditLog(auditPath(config), service.log),
      dryRun: config.dryRun,
      finishMs: config.gracePeriod * 0.6,
    }),
  );
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
