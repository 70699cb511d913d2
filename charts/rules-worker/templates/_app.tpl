{{/* What sets rules-worker's container apart; see sidecar-lib.container. */}}
{{- define "rules-worker.app" -}}
{{- $url := (.Values.config.queue | default dict).redis_url | default (get (.Values.secrets.values | default dict) "QBT_RULES_QUEUE_REDIS_URL") | default .Values.secrets.existingSecret -}}
{{- $valkey := dict -}}{{- with .Values.global -}}{{- $valkey = .valkey | default dict -}}{{- end -}}
{{- if not (or $url $valkey.enabled) -}}
{{- fail "config.queue.redis_url: rules-worker shares its queue with rules-server in a Redis or Valkey, such as redis://redis:6379/0 (in the chart qbit-sidecars global.valkey.enabled=true brings one)" -}}
{{- end -}}
{{- if not (or (include "sidecar-lib.rulesConfigMap" .) (.Values.config.rules | default dict).file) -}}
{{- fail "rules: rules-worker has to be given the rules, in rules.content or rules.existingConfigMap (in the chart qbit-sidecars global.rules)" -}}
{{- end -}}
manyReplicas: true
# Redis or Valkey.
egressPorts: [6379]
ports:
  - name: rules-worker
    containerPort: {{ .Values.ports.health }}
    protocol: TCP
env:
  - name: HEALTH_ADDR
    value: ":{{ .Values.ports.health }}"
  # It has no folder of its own to write to; jobs say what they did.
  - name: QBT_RULES_AUDIT_LOG
    value: ""
    unless: auditLog
  {{- if not $valkey.enabled }}
  - name: QBT_RULES_QUEUE_BACKEND
    value: redis
    unless: queueBackend
  {{- end }}
  {{- include "sidecar-lib.rulesEnv" . | nindent 2 }}
{{ include "sidecar-lib.rulesVolumes" . }}
{{- end -}}

{{- define "rules-worker.files" -}}{{- include "sidecar-lib.rulesFiles" . -}}{{- end -}}
