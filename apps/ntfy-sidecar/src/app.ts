import { MaindataStore, type QbitClient } from "@qbit-sidecars/qbit-client";
import {
  type Clock,
  type Loop,
  openStateDir,
  type Service,
  startLoop,
  stopped,
} from "@qbit-sidecars/service";
import { openQbittorrent, qbittorrentCheck } from "@qbit-sidecars/service/qbittorrent";
import type { Config } from "./config.ts";
import { type Delivery, deliverNotices } from "./deliver-notices.ts";
import { describeHook, hookTarget, installHooks } from "./install-hooks.ts";
import { type Ledger, openLedger } from "./ledger.ts";
import type { Ntfy } from "./ntfy.ts";
import { limitsOf, noticePolicy, openNtfy } from "./ntfy-settings.ts";
import { Pace } from "./pace.ts";
import { NoticePlanner } from "./plan-notices.ts";
import { measure, statusReport } from "./report.ts";
import { startTrackServer } from "./track-server.ts";
import { DownloadWatch } from "./watch-downloads.ts";

/** ntfy-sidecar: tells a phone how downloads go. Ends when the service is stopped. */
export async function ntfySidecar(config: Config, service: Service): Promise<void> {
  const { closers, clock, log } = service;
  const ledger = await keptLedger(config, service);
  const client = await openQbittorrent(config, service);
  const ntfy = openNtfy(config);
  const counts = measure(service.metrics, ledger);
  const watch = downloadWatch({ config, client, ledger, ntfy, counts, service });
  // Closed after the loops: what they do last is kept.
  closers.defer(async function keepLedger() {
    if (watch.upToDate) ledger.cover(clock.now());
    await ledger.save();
  });
  const delivering = startDelivering({ config, ledger, ntfy, counts, service });
  const watching = startWatching({ watch, delivering, counts, service });
  serveHealth({ config, ledger, ntfy, watching, delivering, service });
  const hooks = await startTrackServer({
    address: config.listenAddr,
    token: config.trackToken?.reveal(),
    hooked: {
      track(ref, options) {
        // While it looks regularly, what was added can wait for the next look, so that a storm of hooks is one question
        // and one summary. A completion cannot.
        const looksSoon = watch.nextLookMs() <= config.pollInterval;
        const outcome = watch.track(ref, options);
        if (options.finished || (outcome === "started" && !looksSoon)) watching.wake("a hook");
        return outcome;
      },
      scan() {
        watch.scan();
        watching.wake("a hook");
      },
    },
  });
  closers.use(hooks);
  log.info(`hooks are answered on ${hooks.url}`);
  warnIfOpen(config, service);
  closers.use(await service.health.listen(config.healthAddr));
  if (config.installHooks) await tryInstallHooks(config, client, service);
  await stopped(service.signal);
}

async function keptLedger(config: Config, { log, metrics, clock }: Service): Promise<Ledger> {
  const dir = await openStateDir({
    dir: config.stateDir,
    promise:
      "after a restart, what completed meanwhile is not told, and what was about to be sent may be lost or told twice",
    log,
    metrics,
  });
  return await openLedger(dir, {
    nowMs: clock.now(),
    onUnusable: (why, keptAs) =>
      log.warn(
        { dir: config.stateDir, keptAs },
        `ledger.json cannot be used: ${why}; starting anew, what it held is in ${keptAs ?? "it still"}`,
      ),
  });
}

type Counts = ReturnType<typeof measure>;
type Parts = { config: Config; ledger: Ledger; ntfy: Ntfy; counts: Counts; service: Service };

function downloadWatch({ config, client, ledger, ntfy, counts, service }: Parts & { client: QbitClient }) {
  const store = new MaindataStore(client.sync, { clock: service.clock });
  return new DownloadWatch({
    ledger,
    torrents: store,
    planner: new NoticePlanner(noticePolicy(config)),
    now: () => service.clock.now(),
    inPlace: () => updatesInPlace(config, ntfy) ?? true,
    progressStep: config.notifyProgress ? config.progressStep : undefined,
    progressIntervalMs: config.progressInterval,
    progressCards: config.progressCards,
    stalledAfterMs: config.stalledAfter,
    pollMs: config.pollInterval,
    discover: config.discover,
    diskLowBytes: config.diskLow,
    onEvent: (event) => {
      counts.event(event);
      if (event.kind !== "progress" && event.kind !== "dropped" && event.kind !== "left")
        service.log.info({ hash: event.download.id }, `${event.download.name}: ${event.kind}`);
    },
  });
}

function updatesInPlace(config: Config, ntfy: Ntfy): boolean | undefined {
  return config.inPlace === "auto" ? ntfy.knowsSequences : config.inPlace === "always";
}

function startWatching({
  watch,
  delivering,
  counts,
  service,
}: Omit<Parts, "config" | "ntfy" | "ledger"> & { watch: DownloadWatch; delivering: Loop }): Loop {
  return service.closers.use(
    startLoop({
      ...service,
      clock: restful(service.clock),
      name: "watch-downloads",
      // Read before each wait: nothing to look for is no timer at all.
      get everyMs() {
        return watch.nextLookMs();
      },
      backoff: { minMs: 500, maxMs: 60_000 },
      onFailure: counts.failure,
      step: async ({ signal }) => {
        const before = watch.looks;
        const isNew = await watch.look(signal);
        if (watch.looks > before) counts.look();
        // Only then: a wake makes it try again at once, and ntfy may be down.
        if (isNew) delivering.wake("notices");
        return { converged: true };
      },
    }),
  );
}

function startDelivering({ config, ledger, ntfy, counts, service }: Parts): Loop {
  const { clock, log, closers } = service;
  const pace = new Pace(limitsOf(config), { nowMs: clock.now(), today: ledger.today });
  const onDelivery = (delivery: Delivery) => {
    counts.delivery(delivery);
    const { kind, notice, why } = delivery;
    if (kind === "dropped") log.error({ notice: notice.kind, why }, "ntfy refuses a notice in any wording");
    else log.debug({ sequence: notice.sequence }, `sent: ${notice.kind}`);
  };
  let waitMs = 0;
  return closers.use(
    startLoop({
      ...service,
      clock: restful(clock),
      name: "deliver-notices",
      get everyMs() {
        return waitMs;
      },
      backoff: { minMs: 1000, maxMs: 60_000 },
      // 20 requests, each with its own time limit.
      hangAfterMs: 20 * config.ntfyTimeout + 60_000,
      onFailure: counts.failure,
      step: async ({ signal }) => {
        const result = await deliverNotices({ ledger, receiver: ntfy, pace, clock, onDelivery }, signal);
        waitMs = result.waitMs;
        return result.reason === undefined
          ? { converged: true }
          : { converged: false, reason: result.reason, retryAfterMs: result.waitMs };
      },
    }),
  );
}

/** A clock whose endless sleep is no timer. */
function restful(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    async sleep(ms, signal) {
      if (ms !== Infinity || signal === undefined) return await clock.sleep(ms, signal);
      await stopped(signal);
      signal.throwIfAborted();
    },
  };
}

function serveHealth({
  config,
  ledger,
  ntfy,
  watching,
  delivering,
  service,
}: Omit<Parts, "counts"> & { watching: Loop; delivering: Loop }): void {
  const { health } = service;
  health.dependency("qbittorrent", qbittorrentCheck(config, watching));
  health.dependency("ntfy", () => {
    const { converged, reason } = delivering.status();
    return { ok: converged, detail: converged ? "takes notices" : reason };
  });
  health.route("GET", "/status", () => ({
    body: statusReport({
      ledger,
      watching: () => watching.status(),
      delivering: () => delivering.status(),
      inPlace: () => updatesInPlace(config, ntfy),
    }),
  }));
}

function warnIfOpen({ listenAddr, trackToken }: Config, { log }: Service): void {
  const loopback = listenAddr.host !== undefined && /^(?:127\.|::1$|localhost$)/.test(listenAddr.host);
  if (!loopback && trackToken === undefined)
    log.warn(
      "whoever reaches LISTEN_ADDR can have torrents tracked: set TRACK_TOKEN, or listen on 127.0.0.1",
    );
}

/** Hooks make it faster, not right: without them it goes on. */
async function tryInstallHooks(config: Config, client: QbitClient, { log, signal }: Service): Promise<void> {
  try {
    for (const outcome of await installHooks(client.app, hookTarget(config), signal))
      log.info(describeHook(outcome));
  } catch (error) {
    if (signal.aborted) throw error;
    log.warn({ err: error }, "installing the hooks; run `install-hooks` once qBittorrent answers");
  }
}
