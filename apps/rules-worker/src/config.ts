import { type ConfigOf, declareSettings, qbitSettings, setting } from "@qbit-sidecars/config";
import { serviceSettings } from "@qbit-sidecars/service";

/** Where health and metrics are served unless told otherwise. */
export const defaultHealthAddr = ":9105";

/** Sections of the rules server's config file; one file may serve both. */
export const otherSections = ["server", "client", "logging", "schedule", "cross_seeding", "metrics"] as const;

/** Every setting of rules-worker. Names that begin with QBT_RULES_ are the seed's, and mean what they mean there. */
export const settings = declareSettings(
  {
    queueBackend: setting.choice({
      env: ["QBT_RULES_QUEUE_BACKEND"],
      key: "queue.backend",
      group: "Queue",
      values: ["sqlite", "redis"],
      default: "sqlite",
      about: "Where jobs are kept. A worker of its own needs redis; on sqlite rules-server runs the jobs.",
    }),
    queueRedisUrl: setting.url({
      env: ["QBT_RULES_QUEUE_REDIS_URL"],
      key: "queue.redis_url",
      group: "Queue",
      schemes: ["redis", "rediss"],
      about: "Redis or Valkey that holds the queue, such as redis://:password@redis:6379/0.",
    }),
    queueCleanupAfter: setting.duration({
      env: ["QBT_RULES_QUEUE_CLEANUP_AFTER"],
      key: "queue.cleanup_after",
      group: "Queue",
      unit: "d",
      min: "1m",
      default: "7d",
      about: "How long jobs that ended are kept.",
    }),
    queueSqlitePath: setting.path({
      env: ["QBT_RULES_QUEUE_SQLITE_PATH"],
      key: "queue.sqlite_path",
      group: "Queue",
      default: "/config/qbt-rules.db",
      hidden: true,
      about: "Read by rules-server only.",
    }),
    workerLease: setting.duration({
      env: ["QBT_RULES_WORKER_LEASE"],
      key: "worker.lease",
      group: "Queue",
      unit: "s",
      min: "2s",
      max: "10m",
      default: "15s",
      about: "How long a worker that fell silent keeps its jobs before another takes over.",
    }),
    workerHungAfter: setting.duration({
      env: ["QBT_RULES_WORKER_HUNG_AFTER"],
      key: "worker.hung_after",
      group: "Queue",
      unit: "s",
      min: "10s",
      default: "10m",
      about: "A run that makes no progress for so long is given up, and its jobs fail with that reason.",
    }),
    ...qbitSettings({
      url: {
        flag: "--qbittorrent-host",
        env: ["QBT_RULES_QBITTORRENT_HOST"],
        key: "qbittorrent.host",
        default: "http://localhost:8080",
      },
      user: {
        flag: "--qbittorrent-username",
        env: ["QBT_RULES_QBITTORRENT_USERNAME"],
        key: ["qbittorrent.username", "qbittorrent.user"],
        default: "admin",
      },
      pass: {
        flag: "--qbittorrent-password",
        env: ["QBT_RULES_QBITTORRENT_PASSWORD"],
        key: ["qbittorrent.password", "qbittorrent.pass"],
      },
    }),
    rulesFile: setting.path({
      env: ["QBT_RULES_RULES_FILE"],
      key: "rules.file",
      group: "Rules",
      defaultText: "`rules.yml` in the config folder",
      about: "The rules; read again before a run when the file changed.",
    }),
    configDir: setting.path({
      env: ["QBT_RULES_CONFIG_DIR", "CONFIG_DIR"],
      key: "config.dir",
      group: "Rules",
      default: "/config",
      about: "Folder of config.yml and rules.yml.",
    }),
    dryRun: setting.toggle({
      env: ["QBT_RULES_DRY_RUN", "DRY_RUN"],
      key: "engine.dry_run",
      group: "Rules",
      default: false,
      about: "Plan every job and change nothing, whatever the job asks.",
    }),
    notificationsWebhookUrl: setting.secret({
      env: ["QBT_RULES_NOTIFICATIONS_WEBHOOK_URL"],
      key: "notifications.webhook_url",
      group: "Rules",
      about: "Where `notify` sends to when the rule names no address.",
    }),
    sonarrUrl: setting.url({
      env: ["QBT_RULES_INTEGRATIONS_SONARR_URL"],
      key: "integrations.sonarr.url",
      group: "Rules",
      about: "Sonarr, for `arr_blocklist`.",
    }),
    sonarrApiKey: setting.secret({
      env: ["QBT_RULES_INTEGRATIONS_SONARR_API_KEY"],
      key: "integrations.sonarr.api_key",
      group: "Rules",
      about: "Its API key.",
    }),
    radarrUrl: setting.url({
      env: ["QBT_RULES_INTEGRATIONS_RADARR_URL"],
      key: "integrations.radarr.url",
      group: "Rules",
      about: "Radarr, for `arr_blocklist`.",
    }),
    radarrApiKey: setting.secret({
      env: ["QBT_RULES_INTEGRATIONS_RADARR_API_KEY"],
      key: "integrations.radarr.api_key",
      group: "Rules",
      about: "Its API key.",
    }),
    ...serviceSettings({
      healthAddr: defaultHealthAddr,
      logLevelEnv: ["QBT_RULES_LOG_LEVEL", "QBT_RULES_LOGGING_LEVEL"],
    }),
  },
  [
    {
      of: ["queueBackend"],
      check: ({ queueBackend }) =>
        queueBackend === "redis"
          ? undefined
          : {
              wrong:
                "it is sqlite, and a database file belongs to one process: rules-server, which runs the jobs itself",
              right: "redis, for this worker and for rules-server; or no rules-worker at all",
            },
    },
    {
      of: ["queueBackend", "queueRedisUrl"],
      check: ({ queueBackend, queueRedisUrl }) =>
        queueBackend !== "redis" || queueRedisUrl !== undefined
          ? undefined
          : {
              wrong: "the backend is redis, and no QBT_RULES_QUEUE_REDIS_URL says where it is",
              right: "such as redis://redis:6379/0",
            },
    },
    {
      of: ["qbitTimeout", "workerLease"],
      check: ({ qbitTimeout, workerLease }) =>
        qbitTimeout < workerLease
          ? undefined
          : {
              wrong:
                "a request to qBittorrent may take as long as the lease: one could still arrive when another worker has taken over",
              right: "a QBIT_TIMEOUT below QBT_RULES_WORKER_LEASE",
            },
    },
  ],
);

export type Config = ConfigOf<typeof settings>;
