{{/* What sets ntfy-sidecar's container apart; see sidecar-lib.container. */}}
{{- define "ntfy-sidecar.app" -}}
{{- $own := eq .Values.mode "deployment" -}}
stateDir: /var/lib/ntfy-sidecar
ports:
  - name: ntfy-sidecar
    containerPort: {{ .Values.ports.health }}
    protocol: TCP
  {{- if $own }}
  - name: track
    containerPort: {{ .Values.ports.track }}
    protocol: TCP
  {{- end }}
env:
  - name: HEALTH_ADDR
    value: ":{{ .Values.ports.health }}"
  # Hooks in the same pod reach the loopback address, and nobody else does.
  - name: LISTEN_ADDR
    value: "{{ $own | ternary "" "127.0.0.1" }}:{{ .Values.ports.track }}"
  - name: HOOK_URL
    value: "http://{{ $own | ternary (include "sidecar-lib.serviceName" .) "localhost" }}:{{ .Values.ports.track }}"
    unless: hookUrl
  - name: STATE_DIR
    value: /var/lib/ntfy-sidecar
{{- if $own }}
notes: |
  Hooks of qBittorrent reach it at http://{{ include "sidecar-lib.serviceName" . }}:{{ .Values.ports.track }}; everybody in the cluster does, so give it a TRACK_TOKEN.
{{- end }}
{{- end -}}

{{- define "ntfy-sidecar.files" -}}{{- end -}}
