import type { ConfigOf, Settings } from "@qbit-sidecars/config";
import type { JobQueue, QueueOptions } from "@qbit-sidecars/jobs";
import type { QbitClient, Torrent } from "@qbit-sidecars/qbit-client";
import { ClientQbittorrent, type OutsideSettings } from "@qbit-sidecars/rules";
import type { Service } from "@qbit-sidecars/service";
import { join } from "node:path";
import { openAuditLog } from "./audit-log.ts";
import { RulesFile } from "./rules-file.ts";
import { Told } from "./told.ts";
import { startWorker, type Worker } from "./worker.ts";
import type { TorrentNames } from "./run-rules.ts";
import type { engineSettings } from "./settings.ts";

/** What {@link engineSettings} becomes in a program's config. */
export type EngineConfig = ConfigOf<Settings<ReturnType<typeof engineSettings>>>;

export function rulesPath({ rulesFile, configDir }: Pick<EngineConfig, "rulesFile" | "configDir">): string {
  return rulesFile ?? join(configDir, "rules.yml");
}

/** Undefined: no file. */
export function auditPath({
  auditLog,
  configDir,
}: Pick<EngineConfig, "auditLog" | "configDir">): string | undefined {
  return auditLog === "" ? undefined : (auditLog ?? join(configDir, "qbt-rules-audit.jsonl"));
}

export function outsideSettingsOf(config: EngineConfig): OutsideSettings {
  const { notificationsWebhookUrl, sonarrUrl, sonarrApiKey, radarrUrl, radarrApiKey } = config;
  return {
    ...(notificationsWebhookUrl && { notifyUrl: notificationsWebhookUrl.reveal() }),
    ...(sonarrUrl && sonarrApiKey && { sonarr: { url: sonarrUrl, apiKey: sonarrApiKey.reveal() } }),
    ...(radarrUrl && radarrApiKey && { radarr: { url: radarrUrl, apiKey: radarrApiKey.reveal() } }),
  };
}

/** The lease outlives any single write, so that none arrives after another worker has begun. */
export function leaseMs({ qbitTimeout }: Pick<EngineConfig, "qbitTimeout">): number {
  return Math.max(15_000, 1.5 * qbitTimeout);
}

/** Where the queue is, for `openQueue`. */
export function queueOptions(
  config: EngineConfig,
  options: QueueOptions,
): (QueueOptions & { backend: "sqlite"; path: string }) | (QueueOptions & { backend: "redis"; url: string }) {
  const { queueBackend, queueRedisUrl, configDir } = config;
  const queueSqlitePath = config.queueSqlitePath ?? join(configDir, "qbt-rules.db");
  const common = { leaseMs: leaseMs(config), ...options };
  return queueBackend === "redis"
    ? { ...common, backend: "redis", url: queueRedisUrl ?? "" }
    : { ...common, backend: "sqlite", path: queueSqlitePath };
}

/** The rules that the settings name, read and watched until the service ends. */
export async function openRules(config: EngineConfig, { log, closers }: Service): Promise<RulesFile> {
  const rules = new RulesFile({ path: rulesPath(config), strict: config.rulesStrict, log });
  await rules.look();
  closers.use(rules.watch());
  return rules;
}

/** Of the grace period, for the run under way; the rest is for giving back its jobs. */
const shareForTheRun = 0.6;

type Parts = { readonly queue: JobQueue; readonly rules: RulesFile; readonly client: QbitClient };

/** The worker that the settings describe, until the service ends. */
export function openWorker(
  config: EngineConfig & { readonly gracePeriod: number },
  service: Service,
  { queue, rules, client }: Parts,
): Worker {
  return service.closers.use(
    startWorker({
      ...service,
      queue,
      rules,
      qbittorrent: new ClientQbittorrent(client),
      names: torrentNames(client),
      outsideSettings: outsideSettingsOf(config),
      audit: openAuditLog(auditPath(config), service.log),
      told: new Told(auditPath(config)),
      dryRun: config.dryRun,
      isThere: async (signal) => (await client.probe({ signal })).ok,
      patience: { forMs: config.queueAwayTimeout },
      finishMs: config.gracePeriod * shareForTheRun,
    }),
  );
}

/** Looks through the list of all torrents: no version can be asked for an infohash that is not the id. */
export function torrentNames(client: QbitClient): TorrentNames {
  return {
    async find(infohashes, signal) {
      let names = new Map<string, string>();
      const begin = () => {
        names = new Map();
        return ({ hash, infohash_v1, infohash_v2 }: Torrent) => {
          for (const name of [infohash_v1, infohash_v2])
            if (typeof name === "string" && infohashes.has(name)) names.set(name, hash);
        };
      };
      // Every hook that is faster than qBittorrent's list comes here, so the list is not held.
      await client.torrents.eachInfo({}, begin, { signal });
      return names;
    },
  };
}
