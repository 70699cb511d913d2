{{/* The rules file that the values hold, if any. */}}
{{- define "sidecar-lib.rulesContent" -}}
{{- $content := .Values.rules.content -}}
{{- if not $content -}}{{- with .Values.global -}}{{- $content = .rules -}}{{- end -}}{{- end -}}
{{- $content -}}
{{- end -}}

{{- define "sidecar-lib.rulesFiles" -}}
{{- if not .Values.rules.existingConfigMap -}}
{{- with include "sidecar-lib.rulesContent" . -}}
rules.yml: {{ . | quote }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not empty where the rules are in a ConfigMap: its name. */}}
{{- define "sidecar-lib.rulesConfigMap" -}}
{{- if .Values.rules.existingConfigMap -}}{{- .Values.rules.existingConfigMap -}}
{{- else if include "sidecar-lib.rulesContent" . -}}{{- include "sidecar-lib.fullname" . -}}
{{- end -}}
{{- end -}}

{{/* Mounts, volumes and variables of what runs rules. A folder, since a single mounted file would never change. */}}
{{- define "sidecar-lib.rulesEnv" -}}
{{- if include "sidecar-lib.rulesConfigMap" . }}
- name: QBT_RULES_RULES_FILE
  value: /rules/rules.yml
  unless: rulesFile
{{- end }}
{{- with .Values.global }}
{{- if (.valkey | default dict).enabled }}
- name: QBT_RULES_QUEUE_BACKEND
  value: redis
  unless: queueBackend
- name: QBT_RULES_QUEUE_REDIS_URL
  value: redis://{{ include "sidecar-lib.valkeyName" $ }}:6379/0
  unless: queueRedisUrl
{{- end }}
{{- end }}
{{- end -}}

{{- define "sidecar-lib.rulesVolumes" -}}
{{- with include "sidecar-lib.rulesConfigMap" . -}}
mounts:
  - name: {{ $.Chart.Name }}-rules
    mountPath: /rules
    readOnly: true
volumes:
  - name: {{ $.Chart.Name }}-rules
    configMap:
      name: {{ . }}
{{- end -}}
{{- end -}}
