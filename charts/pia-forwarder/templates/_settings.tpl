{{/* Made by `npm run docs` from the app's config.ts. */}}
{{- define "pia-forwarder.settings" -}}
[
  {"name":"piaUsername","env":"PIA_USERNAME","key":["pia_username"]},
  {"name":"piaTokenFile","env":"PIA_TOKEN_FILE","key":["pia_token_file"]},
  {"name":"piaGateway","env":"PIA_GATEWAY","key":["pia_gateway"]},
  {"name":"piaHostname","env":"PIA_HOSTNAME","key":["pia_hostname"]},
  {"name":"piaCaCert","env":"PIA_CA_CERT","key":["pia_ca_cert"]},
  {"name":"piaTokenUrl","env":"PIA_TOKEN_URL","key":["pia_token_url"]},
  {"name":"piaTimeout","env":"PIA_TIMEOUT","key":["pia_timeout"]},
  {"name":"checkInterval","env":"CHECK_INTERVAL","key":["check_interval"]},
  {"name":"renewBefore","env":"RENEW_BEFORE","key":["renew_before"]},
  {"name":"qbitUrl","env":"QBITTORRENT_HOST","key":["qbittorrent","url"]},
  {"name":"qbitUser","env":"QBITTORRENT_USERNAME","key":["qbittorrent","username"]},
  {"name":"qbitCaCertFile","env":"QBIT_CA_CERT_FILE","key":["qbittorrent","ca_cert_file"]},
  {"name":"qbitInsecureSkipVerify","env":"QBIT_INSECURE_SKIP_VERIFY","key":["qbittorrent","insecure_skip_verify"]},
  {"name":"qbitTimeout","env":"QBIT_TIMEOUT","key":["qbittorrent","timeout"]},
  {"name":"setQbittorrent","env":"SET_QBITTORRENT","key":["set_qbittorrent"]},
  {"name":"disableUpnp","env":"QBIT_DISABLE_UPNP","key":["disable_upnp"]},
  {"name":"portFile","env":"PORT_FILE","key":["port_file"]},
  {"name":"onChangeCommand","env":"ON_CHANGE_COMMAND","key":["on_change_command"]},
  {"name":"logLevel","env":"LOG_LEVEL","key":["log_level"]},
  {"name":"logFormat","env":"LOG_FORMAT","key":["log_format"]}
]
{{- end -}}
{{- define "pia-forwarder.secrets" -}}
[
  {"name":"piaPassword","env":"PIA_PASSWORD"},
  {"name":"qbitPass","env":"QBITTORRENT_PASSWORD"},
  {"name":"qbitApiKey","env":"QBIT_API_KEY"},
  {"name":"webhookUrl","env":"WEBHOOK_URL"}
]
{{- end -}}
