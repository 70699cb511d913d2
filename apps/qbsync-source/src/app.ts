import { randomUUID } from "node:crypto";
import { formatAddress } from "@qbit-sidecars/config";
import { type Loop, type Service, stopped } from "@qbit-sidecars/service";
import { openQbittorrent, qbittorrentCheck } from "@qbit-sidecars/service/qbittorrent";
import { AnswerLag } from "./answer-lag.ts";
import type { Config } from "./config.ts";
import { type Credentials, openCredentials } from "./credentials.ts";
import { Connection } from "./destination.ts";
import { QbittorrentFollower } from "./follow-qbittorrent.ts";
import { Link } from "./link.ts";
import { sourceOf, watch } from "./qbittorrent.ts";
import { planReport } from "./plan-report.ts";
import { serveReceiverState } from "./receiver-state.ts";
import { countMetrics, gaugeMetrics, torrentsReport } from "./report.ts";
import { PieceSender } from "./send-pieces.ts";
import { startCleanUp } from "./start-clean-up.ts";
import { serveStatus } from "./serve-status.ts";
import { startLoops } from "./start-loops.ts";
import { TorrentSync } from "./sync-torrents.ts";
import { TokenBucket } from "./token-bucket.ts";
import type { Tags, TrackedTorrent } from "./tracked-torrent.ts";

/** A piece that is not where it should be makes its torrent be looked up anew, but not again and again. */
const doubtAfterMs = 15_000;

/** How long a torrent must be gone before what the destination has of it is dropped. */
const goneForMs = ({ sleep }: Config): number => Math.max(sleep, 1000);

/** qbsync-source: streams pieces to the destination while they are downloaded. Ends when the service is stopped. */
export async function qbsyncSource(config: Config, service: Service): Promise<void> {
  const { closers, clock, log, signal, health } = service;
  const counts = countMetrics(service.metrics);
  const lag = new AnswerLag();
  const client = await openQbittorrent(config, service);
  const credentials = await openCredentials(config, service);
  if (credentials.warning !== undefined) log.warn(credentials.warning);
  const torrents = new Map<string, TrackedTorrent>();
  const instanceId = randomUUID();
  const tags: Tags = {
    synced: config.syncedTag,
    syncFailed: config.syncFailedTag,
    excludeSync: config.excludeSyncTag,
  };
  const link = new Link({
    dial: () => dial(config, service, { credentials, instanceId }),
    minConnections: config.minConnections,
    onAnswers: (answers) => sender.hear(answers),
    onLaneLost: (lane) => sender.laneLost(lane),
    onDown: () => loops.reach.wake("the destination has gone"),
  });
  closers.use(link);
  const sender = new PieceSender(link, {
    torrents,
    tags,
    numSenders: config.numSenders,
    windowBytes: config.window,
    pieceTimeoutMs: config.pieceTimeout,
    limits: {
      all: new TokenBucket(config.rateLimit, clock),
      backlog: new TokenBucket(config.backlogRateLimit, clock),
    },
    clock,
    signal,
    on: {
      ...counts.sender,
      answered(outcome, sinceMs) {
        counts.sender.answered(outcome, sinceMs);
        lag.hear(outcome, sinceMs);
      },
      unreadable(tracked, problem) {
        counts.unreadable(problem.kind);
        // Files may have been moved or renamed since they were looked up.
        const isOld = clock.monotonic() - tracked.describedAt > doubtAfterMs;
        if (problem.kind === "missing" && isOld) tracked.isStale = true;
        log.debug({ torrent: tracked.id, problem }, `a piece of ${tracked.torrent.name} cannot be read now`);
      },
      changed(tracked) {
        const isWorthALook =
          !tracked.isOpen || tracked.failure !== undefined || tracked.progress?.isDelivered === true;
        if (isWorthALook) loops.sync.wake("the destination answered");
      },
    },
  });
  const sync = new TorrentSync({
    torrents,
    source: sourceOf(client, config, counts.call),
    destination: () => link.connection,
    tags,
    dryRun: config.dryRun,
    goneForMs: goneForMs(config),
    doubtEveryMs: config.sleep,
    clock,
    log,
    onPieces: () => {
      follower.hurry();
      loops.follow.wake("a torrent was opened");
      sender.pump();
    },
    onFinishedGone: (tracked) => cleaning.onFinishedGone(tracked),
    onOutcome: counts.outcome,
  });
  const follower = new QbittorrentFollower({
    watched: watch(client, counts.call),
    torrents,
    clock,
    onPieces: () => sender.pump(),
    onChange: () => loops.sync.wake("qBittorrent's torrents have changed"),
  });
  const loops = startLoops({
    config,
    service,
    link,
    sender,
    sync,
    follower,
    reconnected: counts.reconnected,
    onStates: (states) => cleaning.connected(states),
  });
  const cleaning = startCleanUp({
    config,
    service,
    client,
    torrents,
    tags,
    link,
    follower,
    count: counts.call,
  });

  gaugeMetrics(service.metrics, { torrents, sender, lanes: () => link.laneCount });
  serveHealth({ config, service, loops });
  serveReceiverState(service, link);
  serveStatus(service, {
    status: () => ({
      address: formatAddress(config.destinationAddr),
      destination: link.terms && { program: link.terms.program, connections: link.laneCount },
      dry_run: config.dryRun,
      in_flight_bytes: sender.inFlightBytes,
      sent_bytes: sender.sentBytes,
      answer_ms: lag.medianMs ?? null,
      torrents: torrentsReport(torrents.values(), { tags, now: clock.monotonic() }),
    }),
    plan: () => ({
      dry_run: config.dryRun,
      free_bytes: cleaning.cleanUp.freeBytes ?? null,
      min_space_bytes: config.minSpace,
      torrents: planReport(torrents.values(), {
        tags,
        now: clock.monotonic(),
        goneForMs: goneForMs(config),
        isConnected: link.connection !== undefined,
        dryRun: config.dryRun,
        cleanUp: cleaning.cleanUp,
      }),
    }),
  });
  closers.use(await health.listen(config.healthAddr));
  await stopped(signal);
}

function serveHealth({ config, service: { health }, loops }: Watched): void {
  health.dependency("qbittorrent", qbittorrentCheck(config, loops.follow));
  health.dependency("destination", () =>
    dependency(loops.reach, `answers at ${formatAddress(config.destinationAddr)}`),
  );
}

type Watched = { config: Config; service: Service; loops: ReturnType<typeof startLoops> };

async function dial(
  config: Config,
  { name, version }: Service,
  { credentials, instanceId }: { credentials: Credentials; instanceId: string },
): Promise<Connection> {
  return await Connection.dial({
    ...(await credentials.forDialling()),
    hint: credentials.hint,
    address: formatAddress(config.destinationAddr),
    program: `${name} ${version}`,
    sourceName: config.sourceName,
    instanceId,
    timeoutMs: 10_000,
  });
}

function dependency(loop: Loop, fine: string): { ok: boolean; detail: string } {
  const { failures, reason } = loop.status();
  return { ok: failures === 0, detail: failures === 0 ? fine : reason };
}
