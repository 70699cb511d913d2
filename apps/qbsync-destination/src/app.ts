import { randomUUID } from "node:crypto";
import {
  ByteBudget,
  type Limits,
  planBuffers,
  type Serving,
  serveQbSync,
  Pause_Reason,
} from "@qbit-sidecars/qbsync-protocol";
import { type Loop, messageWithCauses, type Service, startLoop, stopped } from "@qbit-sidecars/service";
import { openQbittorrent } from "@qbit-sidecars/service/qbittorrent";
import type { QbitClient } from "@qbit-sidecars/qbit-client";
import type { Config } from "./config.ts";
import { ConnectedSources } from "./connected-sources.ts";
import { DataFolder } from "./data-folder.ts";
import { DiskWriters } from "./disk-writers.ts";
import { Finalizer } from "./finalize.ts";
import { HandOffFiles } from "./hand-off-files.ts";
import { HandlePool } from "./handle-pool.ts";
import { openTorrent } from "./open-torrent.ts";
import { refuseDryly } from "./plan-receiving.ts";
import { qbittorrentSeeder, qbittorrentTakingOver } from "./qbittorrent.ts";
import { openPiecesAtMost, PieceReceiver } from "./receive-pieces.ts";
import { measure } from "./report.ts";
import { sourceService, type SourceServiceOptions } from "./serve-source.ts";
import { freeBytes, Space } from "./space.ts";
import { refuseNewerState } from "./state-format.ts";
import type { TorrentEvents } from "./stored-torrent.ts";
import { whyNotOnDisk } from "./files-on-disk.ts";
import { TakeOver } from "./take-over.ts";
import { TorrentOwners } from "./torrent-owners.ts";
import { TorrentStore } from "./torrent-store.ts";
import { type WhoMaySend, whoMaySend } from "./who-may-send.ts";

const mebibyte = 1024 * 1024;

/** A `.torrent` of 100 MiB, which is the most that qBittorrent takes, with names and tags beside it. */
const descriptionBytesAtMost = 128 * mebibyte;

/** Writers where nobody said how many: `--stream-workers 0`. */
const writersByDefault = 8;

/** qbsync-destination: receives pieces, stores them durably, and gives finished torrents to qBittorrent. */
export async function qbsyncDestination(config: Config, service: Service): Promise<void> {
  const { log, closers, health } = service;
  const data = await DataFolder.open(config.data);
  await refuseNewerState(data.stateDir);
  const client = await openClient(config, service);
  const parts = assemble(config, service, { data, client });
  if (!config.dryRun) await parts.store.load();
  await parts.owners.load(parts.store.ids());
  await parts.takeOver?.load(parts.store.ids());
  const loop = startRetrying(parts.store, config, service);
  if (parts.takeOver !== undefined) startSettling(parts.takeOver, config, service);
  const security = await whoMaySend(config, service);
  const serving = closers.use(await listen({ ...parts, security }, config, service));
  serveHealth({ loop, serving, client, security }, config, service);
  log.info(
    `listening on port ${serving.port} for torrents ${security.how}${config.dryRun ? "; this is a dry run" : ""}`,
  );
  if (client === undefined)
    log.warn("no --qb-url: torrents are stored and verified, and given to no qBittorrent");
  closers.use(await health.listen(config.healthAddr));
  await stopped(service.signal);
}

type Parts = {
  store: TorrentStore;
  receiver: PieceReceiver;
  sources: ConnectedSources;
  owners: TorrentOwners;
  finalizer: Finalizer;
  takeOver: TakeOver | undefined;
  open: SourceServiceOptions["open"];
  limits: Limits;
};

function assemble(
  config: Config,
  service: Service,
  { data, client }: { data: DataFolder; client: QbitClient | undefined },
): Parts {
  const { clock, log, closers, signal } = service;
  const plan = planBuffers(config.maxStreamBuffer);
  const budget = new ByteBudget(plan.workBytes);
  const handles = closers.use(new HandlePool());
  const space = new Space({ free: () => freeBytes(data.path), keepFreeBytes: config.keepFree });
  const writers = new DiskWriters(config.streamWorkers === 0 ? writersByDefault : config.streamWorkers);
  const counts = measure(service.metrics, {
    store: () => store,
    bufferedBytes: () => budget.usedBytes,
    streams: () => receiver.streamCount,
    finalizing: () => finalizer.running,
    writesPeak: () => writers.peak,
  });
  const events: TorrentEvents = {
    ...tell(service),
    durable: (_pieces, bytes, tookMs) => counts.committed(bytes, tookMs),
    paused({ id, layout, paused }) {
      const level = paused?.reason === Pause_Reason.SAME_FILES ? "info" : "warn";
      if (paused?.reason !== Pause_Reason.CHECKING)
        log[level]({ torrent: id }, `${layout.name} waits: ${paused?.detail}`);
      receiver.tellPause(id, paused && { ...paused, retryAfterMs: config.spaceRetry });
    },
    resumed({ id, layout }) {
      log.debug({ torrent: id }, `pieces of ${layout.name} are welcome`);
      receiver.tellPause(id, undefined);
    },
    lost({ id, layout }, pieces, why) {
      counts.lost(pieces);
      log.warn({ torrent: id, pieces }, `${pieces} pieces of ${layout.name} are needed again: ${why}`);
    },
  };
  const store = closers.use(
    new TorrentStore({
      data,
      handles,
      space,
      events,
      commit: { intervalMs: config.commitInterval, bytes: config.commitSize },
      spaceRetryMs: config.spaceRetry,
      log,
      onHashed: counts.hashed,
    }),
  );
  const sources = new ConnectedSources(log);
  const owners = new TorrentOwners(data.stateDir, sources);
  const receiver = new PieceReceiver({
    torrent: (id) => store.get(id),
    budget,
    writers,
    onChunk: counts.received,
    onOutcome: counts.outcome,
    onDuplicate: counts.duplicate,
  });
  const finalizer = new Finalizer({
    store,
    seeder: client && qbittorrentSeeder(client),
    savePath: config.savePath ?? data.path,
    syncedTag: config.syncedTag,
    verify: config.verify,
    pollIntervalMs: config.pollInterval,
    pollTimeoutMs: config.pollTimeout,
    clock,
    log,
    signal,
    onHashed: (bytes) => counts.hashed(bytes, "finalize"),
    onFinished: counts.finalized,
  });
  const takeOver =
    client === undefined || config.dryRun
      ? undefined
      : new TakeOver({
          files: new HandOffFiles(data.stateDir),
          qbittorrent: qbittorrentTakingOver(client),
          isFinished: (id) => store.isFinished(id),
          whyNotOnDisk: (id, aborts) =>
            whyNotOnDisk(client.torrents, id, {
              folders: { savePath: config.savePath ?? data.path, dataPath: data.path },
              signal: aborts,
            }),
          log,
          clock,
          signal,
          onStep: counts.handOff,
        });
  const limits = {
    maxChunkBytes: plan.maxChunkBytes,
    maxStreams: plan.maxStreams,
    maxDescriptionBytes: descriptionBytesAtMost,
    maxPartBytes: plan.maxChunkBytes,
    streamWindowBytes: plan.windows.streamBytes,
    connectionWindowBytes: plan.windows.connectionBytes,
    maxOpenPieces: openPiecesAtMost,
  };
  const open: Parts["open"] = (description) => {
    if (config.dryRun) return refuseDryly(description, data);
    if (client === undefined) return store.open(description);
    return openTorrent(description, { store, qbittorrent: qbittorrentTakingOver(client), log, signal });
  };
  return { store, receiver, sources, owners, finalizer, takeOver, open, limits };
}

const tell = ({ log }: Service): Pick<TorrentEvents, "failed" | "complete"> => ({
  failed: ({ id, layout, inTheWay }, why) => {
    const until = inTheWay === undefined ? "" : "; it goes on by itself once that is moved away";
    log.error({ torrent: id }, `${layout.name} needs a person: ${why}${until}`);
  },
  complete: ({ id, layout }) =>
    log.info({ torrent: id, name: layout.name }, `all pieces are here: ${layout.name}`),
});

async function openClient({ qbitUrl, ...config }: Config, service: Service): Promise<QbitClient | undefined> {
  return qbitUrl === undefined ? undefined : await openQbittorrent({ ...config, qbitUrl }, service);
}

function listen(
  { finalizer, security, ...parts }: Parts & { security: WhoMaySend },
  config: Config,
  service: Service,
): Promise<Serving> {
  const instanceId = randomUUID();
  const capabilities = [
    ...(config.qbitUrl === undefined ? [] : ["finalize"]),
    ...(parts.takeOver === undefined ? [] : ["hand-off"]),
    ...(config.dryRun ? ["dry-run"] : []),
    ...(security.isOpen ? ["open"] : []),
  ];
  const implementation = sourceService({
    ...parts,
    finalize: finalizer.finalize,
    retryAfterMs: config.spaceRetry,
    log: service.log,
    about: () => ({
      program: `${service.name} ${service.version}`,
      capabilities,
      instanceId,
      qbittorrentVersion: "",
      syncedTag: config.syncedTag,
    }),
  });
  const { limits } = parts;
  return serveQbSync(implementation, {
    address: config.listen,
    windows: { streamBytes: limits.streamWindowBytes, connectionBytes: limits.connectionWindowBytes },
    maxMessageBytes: limits.maxChunkBytes + 4096,
    ...security.serve,
  });
}

/** What a source has removed is started and tagged, however long qBittorrent was away. */
function startSettling(takeOver: TakeOver, config: Config, service: Service): Loop {
  // Without `health`: a qBittorrent that is away is no reason to send sources elsewhere.
  const { closers, clock, random, signal, log, metrics } = service;
  return closers.use(
    startLoop({
      clock,
      random,
      signal,
      log,
      metrics,
      name: "settle-hand-offs",
      everyMs: config.pollInterval,
      backoff: { minMs: 250, maxMs: 15_000 },
      async step() {
        await takeOver.settle();
        return { converged: true };
      },
    }),
  );
}

/** Torrents that wait for space, or for a disk that works, go on by themselves. */
function startRetrying(store: TorrentStore, config: Config, service: Service): Loop {
  return service.closers.use(
    startLoop({
      ...service,
      name: "retry-paused",
      everyMs: config.spaceRetry,
      async step() {
        await store.retryPaused();
        return { converged: true };
      },
    }),
  );
}

function serveHealth(
  {
    loop,
    serving,
    client,
    security,
  }: { loop: Loop; serving: Serving; client: QbitClient | undefined; security: WhoMaySend },
  config: Config,
  { health }: Service,
): void {
  health.ready("listening", () => ({ ok: true, detail: `for sources on port ${serving.port}` }));
  health.ready("security", () => ({
    ok: true,
    detail: security.isOpen
      ? "open: whoever reaches the port may send torrents"
      : `torrents are taken ${security.how}`,
  }));
  health.ready("data", async () => ({
    ok: loop.status().failures === 0,
    detail: `${await freeBytes(config.data)} bytes are free in ${config.data}`,
  }));
  if (client === undefined) return;
  health.dependency("qbittorrent", async () => {
    try {
      const { ok, explanation } = await client.probe();
      return { ok, detail: explanation };
    } catch (error) {
      return { ok: false, detail: messageWithCauses(error) };
    }
  });
}
