{{/* Made by `npm run docs` from the app's config.ts. */}}
{{- define "rules-server.settings" -}}
[
  {"name":"serverWorkers","env":"QBT_RULES_SERVER_WORKERS","key":["server","workers"]},
  {"name":"worker","env":"QBT_RULES_WORKER","key":["server","worker"]},
  {"name":"settleDelay","env":"QBT_RULES_SETTLE_DELAY","key":["server","settle_delay"]},
  {"name":"hangTimeout","env":"QBT_RULES_HANG_TIMEOUT","key":["server","hang_timeout"]},
  {"name":"gracePeriod","env":"QBT_RULES_GRACE_PERIOD","key":["server","grace_period"]},
  {"name":"clientServerUrl","env":"QBT_RULES_CLIENT_SERVER_URL","key":["client","server_url"]},
  {"name":"clientTimeout","env":"QBT_RULES_CLIENT_TIMEOUT","key":["client","timeout"]},
  {"name":"qbitUrl","env":"QBT_RULES_QBITTORRENT_HOST","key":["qbittorrent","host"]},
  {"name":"qbitUser","env":"QBT_RULES_QBITTORRENT_USERNAME","key":["qbittorrent","username"]},
  {"name":"qbitCaCertFile","env":"QBT_RULES_QBITTORRENT_CA_CERT_FILE","key":["qbittorrent","ca_cert_file"]},
  {"name":"qbitInsecureSkipVerify","env":"QBT_RULES_QBITTORRENT_INSECURE_SKIP_VERIFY","key":["qbittorrent","insecure_skip_verify"]},
  {"name":"qbitTimeout","env":"QBT_RULES_QBITTORRENT_TIMEOUT","key":["qbittorrent","timeout"]},
  {"name":"queueBackend","env":"QBT_RULES_QUEUE_BACKEND","key":["queue","backend"]},
  {"name":"queueSqlitePath","env":"QBT_RULES_QUEUE_SQLITE_PATH","key":["queue","sqlite_path"]},
  {"name":"queueRedisUrl","env":"QBT_RULES_QUEUE_REDIS_URL","key":["queue","redis_url"]},
  {"name":"queueCleanupAfter","env":"QBT_RULES_QUEUE_CLEANUP_AFTER","key":["queue","cleanup_after"]},
  {"name":"queueAwayTimeout","env":"QBT_RULES_QUEUE_AWAY_TIMEOUT","key":["queue","away_timeout"]},
  {"name":"rulesFile","env":"QBT_RULES_RULES_FILE","key":["rules","file"]},
  {"name":"rulesStrict","env":"QBT_RULES_RULES_STRICT","key":["rules","strict"]},
  {"name":"configDir","env":"QBT_RULES_CONFIG_DIR","key":["config","dir"]},
  {"name":"dryRun","env":"QBT_RULES_DRY_RUN","key":["engine","dry_run"]},
  {"name":"sonarrUrl","env":"QBT_RULES_INTEGRATIONS_SONARR_URL","key":["integrations","sonarr","url"]},
  {"name":"radarrUrl","env":"QBT_RULES_INTEGRATIONS_RADARR_URL","key":["integrations","radarr","url"]},
  {"name":"logLevel","env":"QBT_RULES_LOG_LEVEL","key":["logging","level"]},
  {"name":"logFormat","env":"QBT_RULES_LOG_FORMAT","key":["logging","format"]},
  {"name":"logFile","env":"QBT_RULES_LOG_FILE","key":["logging","file"]},
  {"name":"auditLog","env":"QBT_RULES_AUDIT_LOG","key":["logging","audit"]}
]
{{- end -}}
{{- define "rules-server.secrets" -}}
[
  {"name":"serverApiKey","env":"QBT_RULES_SERVER_API_KEY"},
  {"name":"clientApiKey","env":"QBT_RULES_CLIENT_API_KEY"},
  {"name":"qbitPass","env":"QBT_RULES_QBITTORRENT_PASSWORD"},
  {"name":"qbitApiKey","env":"QBT_RULES_QBITTORRENT_API_KEY"},
  {"name":"queueRedisUrl","env":"QBT_RULES_QUEUE_REDIS_URL"},
  {"name":"notificationsWebhookUrl","env":"QBT_RULES_NOTIFICATIONS_WEBHOOK_URL"},
  {"name":"sonarrApiKey","env":"QBT_RULES_INTEGRATIONS_SONARR_API_KEY"},
  {"name":"radarrApiKey","env":"QBT_RULES_INTEGRATIONS_RADARR_API_KEY"}
]
{{- end -}}
