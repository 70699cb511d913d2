import type { QbitClient } from "@qbit-sidecars/qbit-client";
import type { TorrentState } from "@qbit-sidecars/qbsync-protocol";
import { type Reply, type RouteRequest, type Service, startLoop } from "@qbit-sidecars/service";
import { randomUUID } from "node:crypto";
import { statfs } from "node:fs/promises";
import { CleanUp } from "./clean-up.ts";
import type { Config } from "./config.ts";
import { ContentLookup } from "./content-files.ts";
import { DestinationError } from "./destination.ts";
import { Drain, type DrainReport, forStrangers } from "./drain.ts";
import type { QbittorrentFollower } from "./follow-qbittorrent.ts";
import { isGoneHere } from "./is-gone.ts";
import type { Link } from "./link.ts";
import { readPodAnnotation } from "./pod-annotation.ts";
import { mountsOf } from "./qbittorrent.ts";
import { hereSide } from "./qbittorrent-hand-off.ts";
import { RemovedWhileAway } from "./removed-while-away.ts";
import { cleanUpMetrics } from "./report-clean-up.ts";
import type { Tags, TrackedTorrent } from "./tracked-torrent.ts";

/** How often both sides of a hand-off are looked at. */
const pollMs = 500;

/** A hand-off in which nothing changes for so long is taken back. */
const stuckAfterMs = 60_000;

/** A qBittorrent that was restarted has loaded all it has after so long. */
const goneAfterMs = 300_000;

/** The Kubernetes API may take so long. */
const annotationTimeoutMs = 10_000;

/** A stop without a drain waits so long for hand-offs under way; what does not end goes on at the next start. */
const endingMs = 8000;

export type CleanUpParts = {
  config: Config;
  service: Service;
  client: QbitClient;
  torrents: ReadonlyMap<string, TrackedTorrent>;
  tags: Tags;
  link: Link;
  follower: QbittorrentFollower;
  count: (operation: string) => void;
};

/** Starts what hands torrents over: for space, as a loop; for a drain, on SIGTERM and on `/drain`. */
export function startCleanUp(parts: CleanUpParts) {
  const { config, service, torrents, link } = parts;
  const { clock, random, signal, log, metrics } = service;
  const counts = cleanUpMetrics(metrics, { cleanUp: () => cleanUp, drain: () => drain });
  const cleanUp = assemble(parts, counts);
  const tellRemoved = async (id: string, name: string): Promise<void> => {
    const { connection } = link;
    if (connection === undefined) throw new Error("the destination is away");
    if (cleanUp.isHandedOff(id) || !connection.terms.capabilities.includes("hand-off")) return;
    try {
      const about = { handOffId: "", sourceName: config.sourceName, tags: tagsOf(config) };
      await connection.sourceRemoved(id, about);
      log.info({ torrent: id }, `${name} was removed here; the destination seeds it from now on`);
    } catch (error) {
      // Refused: it is not finished there after all, or not there any more.
      if (!(error instanceof DestinationError) || error.isTransient) throw error;
      log.warn({ err: error, torrent: id }, `${name} was removed here and does not seed there`);
    }
  };
  const removed = new RemovedWhileAway({
    torrents,
    sourceName: config.sourceName,
    dryRun: config.dryRun,
    isLoaded: () => parts.follower.isLoaded,
    tellRemoved: (id) => tellRemoved(id, id),
    log,
  });
  const drain = new Drain({
    annotation: config.drainAnnotation,
    readAnnotation: (aborts) => annotation(config, aborts),
    drain: (limits) => cleanUp.drain(limits),
    timeoutMs: config.drainTimeout,
    dryRun: config.dryRun,
    clock,
    log,
    onResult: counts.drained,
  });
  service.closers.use(
    // Not for /readyz: a qBittorrent or a destination that is away is told elsewhere.
    startLoop({
      clock,
      random,
      signal,
      log,
      metrics,
      name: "clean-up",
      everyMs: config.sleep,
      backoff: { minMs: 1000, maxMs: 60_000 },
      hangAfterMs: Number.MAX_SAFE_INTEGER,
      async step(context) {
        try {
          await removed.step();
        } finally {
          await cleanUp.step(context.signal);
        }
        return { converged: true };
      },
    }),
  );
  service.beforeStop("a drain if one is asked for, and hand-offs that are under way", async () => {
    await drain.request("SIGTERM");
    const timer = new AbortController();
    await Promise.race([cleanUp.end(), clock.sleep(endingMs, timer.signal).catch(() => {})]);
    timer.abort();
  });
  routes(drain, config, service);
  return {
    cleanUp,
    /** The destination told what it has. */
    connected(states: readonly TorrentState[]): void {
      cleanUp.connected(states);
      removed.connected(states);
    },
    /** A torrent that is complete at the destination was removed here, and not by a hand-off: it seeds there now. */
    async onFinishedGone({ id, torrent }: TrackedTorrent): Promise<void> {
      if (torrents.get(id)?.goneSince !== undefined) await tellRemoved(id, torrent.name);
    },
  };
}

function assemble(
  { config, service, client, torrents, tags, link, follower, count }: CleanUpParts,
  counts: ReturnType<typeof cleanUpMetrics>,
): CleanUp {
  const { clock, log } = service;
  const here = hereSide(client, { excludeTag: config.excludeCleanupTag, count });
  const contents = new ContentLookup({
    client: client.torrents,
    mounts: async (signal) => mountsOf(await client.app.preferences({ signal }), config),
    data: config.data,
    count,
  });
  return new CleanUp({
    torrents,
    contents: (all, signal) => contents.look(all, signal),
    async freeBytes() {
      const { bavail, bsize } = await statfs(config.data);
      return bavail * bsize;
    },
    handOff() {
      const there = link.connection;
      if (there === undefined) return "the destination is away";
      if (!there.terms.capabilities.includes("hand-off"))
        return "the destination takes no part in hand-offs: it has no qBittorrent (--qb-url), or runs dry";
      return {
        here,
        there,
        sourceName: config.sourceName,
        tags: tagsOf(config),
        newId: randomUUID,
        pollMs,
        stuckAfterMs,
        goneAfterMs,
      };
    },
    isGone: (id) =>
      isGoneHere({
        tracked: torrents.get(id),
        isLoaded: follower.isLoaded,
        sourceName: config.sourceName,
        now: clock.monotonic(),
        goneForMs: config.sleep,
      }),
    listedForMs: () => follower.listedForMs,
    settleMs: config.settleTime,
    tags: { ...tags, excludeCleanup: config.excludeCleanupTag },
    sourceName: config.sourceName,
    minSpaceBytes: config.minSpace,
    minSeedingTimeMs: config.minSeedingTime,
    apartMs: config.sleep,
    dryRun: config.dryRun,
    clock,
    log,
    on: counts,
  });
}

const tagsOf = ({ sourceRemovedTag }: Config): string[] =>
  sourceRemovedTag === "" ? [] : [sourceRemovedTag];

function annotation(config: Config, signal: AbortSignal): Promise<string | undefined> {
  const { kubernetesHost: host, kubernetesPort: port, podName: pod, podNamespace: namespace } = config;
  const { serviceAccountDir } = config;
  const identity = { host, port, pod, namespace, serviceAccountDir };
  return readPodAnnotation(config.drainAnnotation, identity, { timeoutMs: annotationTimeoutMs, signal });
}

/**
 * `/drain?wait` is what qBittorrent's preStop hook asks, and hooks can only GET. Whoever reaches this listener may ask:
 * the annotation decides. Where none has to be set, only this machine (or pod) may. Names of torrents are for this machine
 * alone, as in serve-status.ts.
 */
function routes(drain: Drain, config: Config, { health }: Service): void {
  const loopbackOnly = config.drainAnnotation === "";
  const ask = async ({ method, query, isFromHere }: RouteRequest): Promise<Reply> => {
    const told = (report: DrainReport) => (isFromHere ? report : forStrangers(report));
    const last = () => (drain.last === undefined ? null : told(drain.last));
    const waits = query.has("wait");
    if (method !== "POST" && !waits) return { body: { draining: drain.isRunning, last: last() } };
    const asked = drain.request("/drain");
    if (waits) return { body: told(await asked) };
    return { status: 202, body: { draining: true, last: last() } };
  };
  for (const method of ["GET", "POST"] as const)
    health.route(method, "/drain", { loopbackOnly, handler: ask });
}
