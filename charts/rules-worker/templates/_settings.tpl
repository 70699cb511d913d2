{{/* Made by `npm run docs` from the app's config.ts. */}}
{{- define "rules-worker.settings" -}}
[
  {"name":"queueBackend","env":"QBT_RULES_QUEUE_BACKEND","key":["queue","backend"]},
  {"name":"queueRedisUrl","env":"QBT_RULES_QUEUE_REDIS_URL","key":["queue","redis_url"]},
  {"name":"queueCleanupAfter","env":"QBT_RULES_QUEUE_CLEANUP_AFTER","key":["queue","cleanup_after"]},
  {"name":"workerLease","env":"QBT_RULES_WORKER_LEASE","key":["worker","lease"]},
  {"name":"workerHungAfter","env":"QBT_RULES_WORKER_HUNG_AFTER","key":["worker","hung_after"]},
  {"name":"qbitUrl","env":"QBT_RULES_QBITTORRENT_HOST","key":["qbittorrent","host"]},
  {"name":"qbitUser","env":"QBT_RULES_QBITTORRENT_USERNAME","key":["qbittorrent","username"]},
  {"name":"qbitCaCertFile","env":"QBIT_CA_CERT_FILE","key":["qbittorrent","ca_cert_file"]},
  {"name":"qbitInsecureSkipVerify","env":"QBIT_INSECURE_SKIP_VERIFY","key":["qbittorrent","insecure_skip_verify"]},
  {"name":"qbitTimeout","env":"QBIT_TIMEOUT","key":["qbittorrent","timeout"]},
  {"name":"rulesFile","env":"QBT_RULES_RULES_FILE","key":["rules","file"]},
  {"name":"configDir","env":"QBT_RULES_CONFIG_DIR","key":["config","dir"]},
  {"name":"dryRun","env":"QBT_RULES_DRY_RUN","key":["engine","dry_run"]},
  {"name":"sonarrUrl","env":"QBT_RULES_INTEGRATIONS_SONARR_URL","key":["integrations","sonarr","url"]},
  {"name":"radarrUrl","env":"QBT_RULES_INTEGRATIONS_RADARR_URL","key":["integrations","radarr","url"]},
  {"name":"logLevel","env":"LOG_LEVEL","key":["log_level"]},
  {"name":"logFormat","env":"LOG_FORMAT","key":["log_format"]}
]
{{- end -}}
{{- define "rules-worker.secrets" -}}
[
  {"name":"queueRedisUrl","env":"QBT_RULES_QUEUE_REDIS_URL"},
  {"name":"qbitPass","env":"QBT_RULES_QBITTORRENT_PASSWORD"},
  {"name":"qbitApiKey","env":"QBIT_API_KEY"},
  {"name":"notificationsWebhookUrl","env":"QBT_RULES_NOTIFICATIONS_WEBHOOK_URL"},
  {"name":"sonarrApiKey","env":"QBT_RULES_INTEGRATIONS_SONARR_API_KEY"},
  {"name":"radarrApiKey","env":"QBT_RULES_INTEGRATIONS_RADARR_API_KEY"}
]
{{- end -}}
