{{/* What sets port-sync's container apart; see sidecar-lib.container. */}}
{{- define "port-sync.app" -}}
{{- $portFile := .Values.config.port_file | default "/tmp/gluetun/forwarded_port" -}}
ports:
  - name: port-sync
    containerPort: {{ .Values.ports.health }}
    protocol: TCP
env:
  - name: HEALTH_ADDR
    value: ":{{ .Values.ports.health }}"
{{- if or (eq .Values.mode "sidecar") .Values.gluetun.volume }}
# The folder rather than the file: gluetun may replace the file.
mounts:
  - name: {{ .Values.gluetun.volumeName }}
    mountPath: {{ dir $portFile }}
    readOnly: true
{{- end }}
{{- with .Values.gluetun.volume }}
volumes:
  - name: {{ $.Values.gluetun.volumeName }}
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}

{{- define "port-sync.files" -}}{{- end -}}
