{{/* Made by `npm run docs` from the app's config.ts. */}}
{{- define "qbsync-destination.settings" -}}
[
  {"name":"savePath","env":"QBSYNC_DESTINATION_SAVE_PATH","key":["save_path"]},
  {"name":"qbitUrl","env":"QBSYNC_DESTINATION_QB_URL","key":["qbittorrent","url"],"optional":true},
  {"name":"qbitUser","env":"QBSYNC_DESTINATION_QB_USERNAME","key":["qbittorrent","username"]},
  {"name":"qbitCaCertFile","env":"QBIT_CA_CERT_FILE","key":["qbittorrent","ca_cert_file"]},
  {"name":"qbitInsecureSkipVerify","env":"QBIT_INSECURE_SKIP_VERIFY","key":["qbittorrent","insecure_skip_verify"]},
  {"name":"qbitTimeout","env":"QBIT_TIMEOUT","key":["qbittorrent","timeout"]},
  {"name":"pollInterval","env":"QBSYNC_DESTINATION_POLL_INTERVAL","key":["poll_interval"]},
  {"name":"pollTimeout","env":"QBSYNC_DESTINATION_POLL_TIMEOUT","key":["poll_timeout"]},
  {"name":"streamWorkers","env":"QBSYNC_DESTINATION_STREAM_WORKERS","key":["stream_workers"]},
  {"name":"maxStreamBuffer","env":"QBSYNC_DESTINATION_MAX_STREAM_BUFFER","key":["max_stream_buffer"]},
  {"name":"commitInterval","env":"QBSYNC_DESTINATION_COMMIT_INTERVAL","key":["commit_interval"]},
  {"name":"commitSize","env":"QBSYNC_DESTINATION_COMMIT_SIZE","key":["commit_size"]},
  {"name":"keepFree","env":"QBSYNC_DESTINATION_KEEP_FREE","key":["keep_free"]},
  {"name":"spaceRetry","env":"QBSYNC_DESTINATION_SPACE_RETRY","key":["space_retry"]},
  {"name":"verify","env":"QBSYNC_DESTINATION_VERIFY","key":["verify"]},
  {"name":"syncedTag","env":"QBSYNC_DESTINATION_SYNCED_TAG","key":["synced_tag"]},
  {"name":"tlsCertFile","env":"QBSYNC_DESTINATION_TLS_CERT_FILE","key":["tls_cert_file"]},
  {"name":"tlsKeyFile","env":"QBSYNC_DESTINATION_TLS_KEY_FILE","key":["tls_key_file"]},
  {"name":"tlsClientCaFile","env":"QBSYNC_DESTINATION_TLS_CLIENT_CA_FILE","key":["tls_client_ca_file"]},
  {"name":"dryRun","env":"QBSYNC_DESTINATION_DRY_RUN","key":["dry_run"]},
  {"name":"logLevel","env":"LOG_LEVEL","key":["log_level"]},
  {"name":"logFormat","env":"LOG_FORMAT","key":["log_format"]}
]
{{- end -}}
{{- define "qbsync-destination.secrets" -}}
[
  {"name":"qbitPass","env":"QBSYNC_DESTINATION_QB_PASSWORD"},
  {"name":"qbitApiKey","env":"QBSYNC_DESTINATION_QB_API_KEY"},
  {"name":"token","env":"QBSYNC_DESTINATION_TOKEN"}
]
{{- end -}}
