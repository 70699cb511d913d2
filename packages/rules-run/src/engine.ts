import type { ConfigOf, Settings } from "@qbit-sidecars/config";
import type { QueueOptions } from "@qbit-sidecars/jobs";
import type { QbitClient } from "@qbit-sidecars/qbit-client";
import type { OutsideSettings } from "@qbit-sidecars/rules";
import { join } from "node:path";
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
  const { queueBackend, queueSqlitePath, queueRedisUrl } = config;
  const common = { leaseMs: leaseMs(config), ...options };
  return queueBackend === "redis"
    ? { ...common, backend: "redis", url: queueRedisUrl ?? "" }
    : { ...common, backend: "sqlite", path: queueSqlitePath };
}

/** Looks through the list of all torrents: no version can be asked for an infohash that is not the id. */
export function torrentNames(client: QbitClient): TorrentNames {
  return {
    async find(infohashes, signal) {
      const names = new Map<string, string>();
      for (const { hash, infohash_v1, infohash_v2 } of await client.torrents.info({}, { signal }))
        for (const name of [infohash_v1, infohash_v2])
          if (typeof name === "string" && infohashes.has(name)) names.set(name, hash);
      return names;
    },
  };
}
