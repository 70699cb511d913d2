{{/* What sets qbsync-destination's container apart; see sidecar-lib.container. */}}
{{- define "qbsync-destination.app" -}}
{{- $files := list (dict "name" "TLS_CERT_FILE" "file" "tls.crt" "unless" "tlsCertFile") (dict "name" "TLS_KEY_FILE" "file" "tls.key" "unless" "tlsKeyFile") -}}
{{- if .Values.tls.clientCertificates -}}
{{- $files = append $files (dict "name" "TLS_CLIENT_CA_FILE" "file" "ca.crt" "unless" "tlsClientCaFile") -}}
{{- end -}}
{{- $connection := include "sidecar-lib.connection" (dict "root" . "variables" $files) | fromJson -}}
{{- $data := include "sidecar-lib.data" (dict "root" . "readOnly" false) | fromYaml -}}
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
  {{- with $connection.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $data.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
mounts: {{ concat $data.mounts $connection.mounts | toJson }}
volumes: {{ concat ($data.volumes | default list) $connection.volumes | toJson }}
notes: |
  qbsync-source reaches it at {{ eq .Values.mode "deployment" | ternary (include "sidecar-lib.serviceName" .) "its pod" }}, port {{ .Values.ports.grpc }}.
  {{- with include "sidecar-lib.tokenSecret" . }}

  It asks sources for a token. Carry it to where qbsync-source is, and name it there in token.existingSecret:

    kubectl -n {{ $.Release.Namespace }} get secret {{ . }} -o 'jsonpath={.data.{{ include "sidecar-lib.tokenKey" $ }}}' | base64 -d >token
    kubectl create secret generic qbsync --from-file=token
  {{- else }}

  It takes torrents from anybody who reaches it: token.enabled=true.
  {{- end }}
  {{- if not .Values.tls.existingSecret }}

  The connection is not encrypted: keep it within a network that you trust, or name a Secret with a certificate in tls.existingSecret.
  {{- end }}
{{- end -}}

{{- define "qbsync-destination.files" -}}{{- end -}}
