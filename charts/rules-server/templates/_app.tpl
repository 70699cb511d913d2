{{/* What sets rules-server's container apart; see sidecar-lib.container. */}}
{{- define "rules-server.app" -}}
args: [--serve]
# Redis or Valkey.
egressPorts: [6379]
# The queue's database and the log of changes.
stateDir: /config
ports:
  - name: rules-server
    containerPort: {{ .Values.ports.http }}
    protocol: TCP
env:
  - name: QBT_RULES_SERVER_PORT
    value: {{ .Values.ports.http | quote }}
  {{- include "sidecar-lib.rulesEnv" . | nindent 2 }}
  {{- range $index, $schedule := .Values.schedule }}
  {{- range $field, $value := $schedule }}
  - name: {{ printf "QBT_RULES_SCHEDULE_%d_%s" (add1 $index) (snakecase $field | upper) }}
    value: {{ $value | toString | quote }}
  {{- end }}
  {{- end }}
{{ include "sidecar-lib.rulesVolumes" . }}
{{- if not (or (get (.Values.secrets.values | default dict) "QBT_RULES_SERVER_API_KEY") .Values.secrets.existingSecret) }}
{{- fail "secrets: rules-server needs a QBT_RULES_SERVER_API_KEY, in secrets.values or in secrets.existingSecret" }}
{{- end }}
notes: |
  Its page and API:

    kubectl -n {{ .Release.Namespace }} port-forward service/{{ eq .Values.mode "deployment" | ternary (include "sidecar-lib.serviceName" .) (include "sidecar-lib.qbittorrentName" .) }} {{ .Values.ports.http }}

  and then http://localhost:{{ .Values.ports.http }}, with the API key.
{{- end -}}

{{- define "rules-server.files" -}}{{- include "sidecar-lib.rulesFiles" . -}}{{- end -}}
