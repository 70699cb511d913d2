{{/* Made by `npm run docs` from the app's config.ts. */}}
{{- define "port-sync.settings" -}}
[
  {"name":"portFile","env":"PORT_FILE","key":["port_file"]},
  {"name":"portIndex","env":"PORT_INDEX","key":["port_index"]},
  {"name":"qbitUrl","env":"QBIT_ADDR","key":["qbittorrent","url"]},
  {"name":"qbitUser","env":"QBIT_USER","key":["qbittorrent","username"]},
  {"name":"qbitCaCertFile","env":"QBIT_CA_CERT_FILE","key":["qbittorrent","ca_cert_file"]},
  {"name":"qbitInsecureSkipVerify","env":"QBIT_INSECURE_SKIP_VERIFY","key":["qbittorrent","insecure_skip_verify"]},
  {"name":"qbitTimeout","env":"QBIT_TIMEOUT","key":["qbittorrent","timeout"]},
  {"name":"syncInterval","env":"SYNC_INTERVAL","key":["sync_interval"]},
  {"name":"pollInterval","env":"POLL_INTERVAL","key":["poll_interval"]},
  {"name":"debounce","env":"DEBOUNCE","key":["debounce"]},
  {"name":"onPortLost","env":"ON_PORT_LOST","key":["on_port_lost"]},
  {"name":"parkPort","env":"PARK_PORT","key":["park_port"]},
  {"name":"lostAfter","env":"LOST_AFTER","key":["lost_after"]},
  {"name":"disableUpnp","env":"QBIT_DISABLE_UPNP","key":["disable_upnp"]},
  {"name":"rebindAfter","env":"REBIND_AFTER","key":["rebind_after"]},
  {"name":"reannounce","env":"REANNOUNCE","key":["reannounce"]},
  {"name":"gluetunAddr","env":"GLUETUN_ADDR","key":["gluetun","addr"]},
  {"name":"gluetunUser","env":"GLUETUN_USER","key":["gluetun","user"]},
  {"name":"gluetunTimeout","env":"GLUETUN_TIMEOUT","key":["gluetun","timeout"]},
  {"name":"onChangeCommand","env":"ON_CHANGE_COMMAND","key":["on_change_command"]},
  {"name":"logLevel","env":"LOG_LEVEL","key":["log_level"]},
  {"name":"logFormat","env":"LOG_FORMAT","key":["log_format"]}
]
{{- end -}}
{{- define "port-sync.secrets" -}}
[
  {"name":"qbitPass","env":"QBIT_PASS"},
  {"name":"qbitApiKey","env":"QBIT_API_KEY"},
  {"name":"gluetunApiKey","env":"GLUETUN_API_KEY"},
  {"name":"gluetunPass","env":"GLUETUN_PASS"},
  {"name":"webhookUrl","env":"WEBHOOK_URL"}
]
{{- end -}}
