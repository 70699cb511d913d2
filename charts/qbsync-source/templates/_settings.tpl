{{/* Made by `npm run docs` from the app's config.ts. */}}
{{- define "qbsync-source.settings" -}}
[
  {"name":"destinationAddr","env":"QBSYNC_SOURCE_DESTINATION_ADDR","key":["destination_addr"]},
  {"name":"qbitUrl","env":"QBSYNC_SOURCE_QB_URL","key":["qbittorrent","url"]},
  {"name":"qbitUser","env":"QBSYNC_SOURCE_QB_USERNAME","key":["qbittorrent","username"]},
  {"name":"qbitCaCertFile","env":"QBIT_CA_CERT_FILE","key":["qbittorrent","ca_cert_file"]},
  {"name":"qbitInsecureSkipVerify","env":"QBIT_INSECURE_SKIP_VERIFY","key":["qbittorrent","insecure_skip_verify"]},
  {"name":"qbitTimeout","env":"QBIT_TIMEOUT","key":["qbittorrent","timeout"]},
  {"name":"savePath","env":"QBSYNC_SOURCE_SAVE_PATH","key":["save_path"]},
  {"name":"tempPath","env":"QBSYNC_SOURCE_TEMP_PATH","key":["temp_path"]},
  {"name":"rateLimit","env":"QBSYNC_SOURCE_RATE_LIMIT","key":["rate_limit"]},
  {"name":"backlogRateLimit","env":"QBSYNC_SOURCE_BACKLOG_RATE_LIMIT","key":["backlog_rate_limit"]},
  {"name":"window","env":"QBSYNC_SOURCE_WINDOW","key":["window"]},
  {"name":"numSenders","env":"QBSYNC_SOURCE_NUM_SENDERS","key":["num_senders"]},
  {"name":"minConnections","env":"QBSYNC_SOURCE_MIN_CONNECTIONS","key":["min_connections"]},
  {"name":"maxConnections","env":"QBSYNC_SOURCE_MAX_CONNECTIONS","key":["max_connections"]},
  {"name":"pieceTimeout","env":"QBSYNC_SOURCE_PIECE_TIMEOUT","key":["piece_timeout"]},
  {"name":"reconnectMaxDelay","env":"QBSYNC_SOURCE_RECONNECT_MAX_DELAY","key":["reconnect_max_delay"]},
  {"name":"sleep","env":"QBSYNC_SOURCE_SLEEP","key":["sleep"]},
  {"name":"pollInterval","env":"QBSYNC_SOURCE_POLL_INTERVAL","key":["poll_interval"]},
  {"name":"syncedTag","env":"QBSYNC_SOURCE_SYNCED_TAG","key":["synced_tag"]},
  {"name":"syncFailedTag","env":"QBSYNC_SOURCE_SYNC_FAILED_TAG","key":["sync_failed_tag"]},
  {"name":"excludeSyncTag","env":"QBSYNC_SOURCE_EXCLUDE_SYNC_TAG","key":["exclude_sync_tag"]},
  {"name":"minSpace","env":"QBSYNC_SOURCE_MIN_SPACE","key":["min_space"]},
  {"name":"minSeedingTime","env":"QBSYNC_SOURCE_MIN_SEEDING_TIME","key":["min_seeding_time"]},
  {"name":"sourceRemovedTag","env":"QBSYNC_SOURCE_SOURCE_REMOVED_TAG","key":["source_removed_tag"]},
  {"name":"excludeCleanupTag","env":"QBSYNC_SOURCE_EXCLUDE_CLEANUP_TAG","key":["exclude_cleanup_tag"]},
  {"name":"settleTime","env":"QBSYNC_SOURCE_SETTLE_TIME","key":["settle_time"]},
  {"name":"sourceName","env":"QBSYNC_SOURCE_SOURCE_NAME","key":["source_name"]},
  {"name":"drainAnnotation","env":"QBSYNC_SOURCE_DRAIN_ANNOTATION","key":["drain_annotation"]},
  {"name":"drainTimeout","env":"QBSYNC_SOURCE_DRAIN_TIMEOUT","key":["drain_timeout"]},
  {"name":"tls","env":"QBSYNC_SOURCE_TLS","key":["tls"]},
  {"name":"tlsCaFile","env":"QBSYNC_SOURCE_TLS_CA_FILE","key":["tls_ca_file"]},
  {"name":"tlsCertFile","env":"QBSYNC_SOURCE_TLS_CERT_FILE","key":["tls_cert_file"]},
  {"name":"tlsKeyFile","env":"QBSYNC_SOURCE_TLS_KEY_FILE","key":["tls_key_file"]},
  {"name":"tlsServerName","env":"QBSYNC_SOURCE_TLS_SERVER_NAME","key":["tls_server_name"]},
  {"name":"dryRun","env":"QBSYNC_SOURCE_DRY_RUN","key":["dry_run"]},
  {"name":"logLevel","env":"LOG_LEVEL","key":["log_level"]},
  {"name":"logFormat","env":"LOG_FORMAT","key":["log_format"]}
]
{{- end -}}
{{- define "qbsync-source.secrets" -}}
[
  {"name":"qbitPass","env":"QBSYNC_SOURCE_QB_PASSWORD"},
  {"name":"qbitApiKey","env":"QBSYNC_SOURCE_QB_API_KEY"},
  {"name":"token","env":"QBSYNC_SOURCE_TOKEN"}
]
{{- end -}}
