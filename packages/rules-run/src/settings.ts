import { qbitSettings, setting } from "@qbit-sidecars/config";

const queue = "Queue";
const rules = "Rules";
const logging = "Logging";

/**
 * What everything that runs rules is told: where qBittorrent, the queue and the rules are. Names are those of
 * qbt-rules 0.4, then those of its 0.6, then those all apps of this family have.
 */
export function engineSettings() {
  return { ...qbittorrentSettings(), ...queueSettings(), ...ruleSettings(), ...loggingSettings() };
}

function qbittorrentSettings() {
  return qbitSettings({
    url: {
      flag: "--qbittorrent-host",
      env: ["QBT_RULES_QBITTORRENT_HOST"],
      key: ["qbittorrent.host", "qbittorrent.url"],
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
    apiKey: { flag: "--qbittorrent-api-key", env: ["QBT_RULES_QBITTORRENT_API_KEY"] },
    caCertFile: { flag: "--qbittorrent-ca-cert-file", env: ["QBT_RULES_QBITTORRENT_CA_CERT_FILE"] },
    insecureSkipVerify: {
      flag: "--qbittorrent-insecure-skip-verify",
      env: ["QBT_RULES_QBITTORRENT_INSECURE_SKIP_VERIFY"],
    },
    timeout: { flag: "--qbittorrent-timeout", env: ["QBT_RULES_QBITTORRENT_TIMEOUT"] },
  });
}

function queueSettings() {
  return {
    queueBackend: setting.choice({
      env: ["QBT_RULES_QUEUE_BACKEND"],
      key: "queue.backend",
      values: ["sqlite", "redis"],
      default: "sqlite",
      group: queue,
      about: "Where jobs are kept: a file of this process alone, or a Redis or Valkey that many share.",
    }),
    queueSqlitePath: setting.path({
      env: ["QBT_RULES_QUEUE_SQLITE_PATH"],
      key: "queue.sqlite_path",
      defaultText: "/config/qbt-rules.db: in the config folder",
      group: queue,
      about: "The database file.",
    }),
    queueRedisUrl: setting.url({
      env: ["QBT_RULES_QUEUE_REDIS_URL"],
      key: "queue.redis_url",
      schemes: ["redis", "rediss"],
      group: queue,
      about: "The Redis, such as redis://localhost:6379/0.",
    }),
    queueCleanupAfter: setting.duration({
      env: ["QBT_RULES_QUEUE_CLEANUP_AFTER"],
      key: "queue.cleanup_after",
      unit: "d",
      default: "7d",
      min: "1m",
      group: queue,
      about: "How long jobs that are over are kept.",
    }),
    queueAwayTimeout: setting.duration({
      env: ["QBT_RULES_QUEUE_AWAY_TIMEOUT"],
      key: "queue.away_timeout",
      unit: "h",
      default: "1d",
      min: "1m",
      group: queue,
      about: "How long a job waits for a qBittorrent that is away or refuses the login before it fails.",
    }),
  };
}

function ruleSettings() {
  return {
    rulesFile: setting.path({
      env: ["QBT_RULES_RULES_FILE"],
      key: "rules.file",
      defaultText: "/config/rules.yml: rules.yml in the config folder",
      group: rules,
      about: "The rules.",
    }),
    rulesStrict: setting.toggle({
      env: ["QBT_RULES_RULES_STRICT"],
      key: "rules.strict",
      default: true,
      group: rules,
      about: "Refuse a file with any mistake; off leaves out what is wrong, for moving from older versions.",
    }),
    configDir: setting.path({
      env: ["QBT_RULES_CONFIG_DIR", "CONFIG_DIR"],
      key: "config.dir",
      default: "/config",
      group: rules,
      about: "Folder of config.yml and rules.yml.",
    }),
    dryRun: setting.toggle({
      env: ["QBT_RULES_DRY_RUN"],
      key: "engine.dry_run",
      default: false,
      group: rules,
      about: "Plan and change nothing: of this job for a client, of every job for a server or worker.",
    }),
    notificationsWebhookUrl: setting.secret({
      env: ["QBT_RULES_NOTIFICATIONS_WEBHOOK_URL"],
      key: "notifications.webhook_url",
      group: rules,
      about: "Where the notify action sends what names no URL of its own.",
    }),
    ...arrSettings(),
  };
}

function arrSettings() {
  return {
    sonarrUrl: setting.url({
      env: ["QBT_RULES_INTEGRATIONS_SONARR_URL"],
      key: "integrations.sonarr.url",
      group: rules,
      about: "Sonarr, for the arr_blocklist action.",
    }),
    sonarrApiKey: setting.secret({
      env: ["QBT_RULES_INTEGRATIONS_SONARR_API_KEY"],
      key: "integrations.sonarr.api_key",
      group: rules,
      about: "Sonarr's API key.",
    }),
    radarrUrl: setting.url({
      env: ["QBT_RULES_INTEGRATIONS_RADARR_URL"],
      key: "integrations.radarr.url",
      group: rules,
      about: "Radarr, for the arr_blocklist action.",
    }),
    radarrApiKey: setting.secret({
      env: ["QBT_RULES_INTEGRATIONS_RADARR_API_KEY"],
      key: "integrations.radarr.api_key",
      group: rules,
      about: "Radarr's API key.",
    }),
  };
}

function loggingSettings() {
  return {
    logLevel: setting.logLevel({
      env: ["QBT_RULES_LOG_LEVEL", "QBT_RULES_LOGGING_LEVEL", "LOG_LEVEL"],
      key: "logging.level",
      default: "info",
      group: logging,
      about: "How much is logged.",
    }),
    logFormat: setting.choice({
      env: ["QBT_RULES_LOG_FORMAT", "LOG_FORMAT"],
      key: "logging.format",
      values: ["auto", "json", "pretty"],
      default: "auto",
      group: logging,
      about: "Shape of log lines; auto is pretty on a terminal and json elsewhere.",
    }),
    logFile: setting.path({
      env: ["QBT_RULES_LOG_FILE", "QBT_RULES_LOGGING_FILE"],
      key: "logging.file",
      defaultText: "/config/qbt-rules.log: in the config folder",
      emptyIs: "value",
      group: logging,
      about:
        "File that gets every log line as well; empty for none. Where it cannot be written, a warning says so.",
    }),
    auditLog: setting.path({
      env: ["QBT_RULES_AUDIT_LOG"],
      key: "logging.audit",
      emptyIs: "value",
      defaultText: "/config/qbt-rules-audit.jsonl: in the config folder",
      group: logging,
      about: "File that gets one JSON line for every change made to a torrent; empty for none.",
    }),
  };
}

/** Where a Redis must be named for it to be used. For the rules of `declareSettings`. */
export const redisNeedsUrl = {
  of: ["queueBackend", "queueRedisUrl"] as const,
  check: ({ queueBackend, queueRedisUrl }: { queueBackend: string; queueRedisUrl: string | undefined }) =>
    queueBackend === "redis" && queueRedisUrl === undefined
      ? {
          wrong: "the queue is to be in a Redis, and none is named",
          right: "such as redis://localhost:6379/0",
        }
      : undefined,
};
