{{/* What sets qbsync-destination's container apart; see sidecar-lib.container. */}}
{{- define "qbsync-destination.app" -}}
ownsData: true
ports:
  - name: qbsync-dest
    containerPort: {{ .Values.ports.health }}
    protocol: TCP
  - name: qbsync-grpc
    containerPort: {{ .Values.ports.grpc }}
    protocol: TCP
env:
  - name: QBSYNC_DESTINATION_DATA
    value: {{ include "sidecar-lib.dataPath" . }}
  - name: QBSYNC_DESTINATION_LISTEN
    value: ":{{ .Values.ports.grpc }}"
  - name: HEALTH_ADDR
    value: ":{{ .Values.ports.health }}"
{{ include "sidecar-lib.data" (dict "root" . "readOnly" false) }}
notes: |
  qbsync-source reaches it at {{ eq .Values.mode "deployment" | ternary (include "sidecar-lib.serviceName" .) "its pod" }}, port {{ .Values.ports.grpc }}. The connection is neither encrypted nor authenticated: let nobody else reach it.
{{- end -}}

{{- define "qbsync-destination.files" -}}{{- end -}}
