{{/* What sets qbsync-source's container apart; see sidecar-lib.container. */}}
{{- define "qbsync-source.app" -}}
{{- $files := list (dict "name" "TLS_CA_FILE" "file" "ca.crt" "unless" "tlsCaFile") -}}
{{- if .Values.tls.clientCertificate -}}
{{- $files = concat $files (list (dict "name" "TLS_CERT_FILE" "file" "tls.crt" "unless" "tlsCertFile") (dict "name" "TLS_KEY_FILE" "file" "tls.key" "unless" "tlsKeyFile")) -}}
{{- end -}}
{{- $connection := include "sidecar-lib.connection" (dict "root" . "variables" $files) | fromJson -}}
{{- $data := include "sidecar-lib.data" (dict "root" . "readOnly" true) | fromYaml -}}
{{- $drain := include "qbsync-source.drainSeconds" . | int -}}
{{- if and (eq .Values.mode "deployment") (lt (int .Values.terminationGracePeriodSeconds) (add $drain 20 | int)) -}}
{{- fail (printf "terminationGracePeriodSeconds: %v is too short for config.drain_timeout (%d s): the kubelet would end a drain half-way; it takes %d at least" .Values.terminationGracePeriodSeconds $drain (add $drain 20)) -}}
{{- end -}}
{{- $annotation := hasKey .Values.config "drain_annotation" | ternary .Values.config.drain_annotation "qbsync/drain" -}}
apiToken: true
# qbsync-destination, and the Kubernetes API (443 behind its Service, 6443 where a policy sees the server itself).
egressPorts:
  - {{ .Values.config.destination_addr | default ":50051" | toString | splitList ":" | last | int }}
  - 6443
ports:
  - name: qbsync-source
    containerPort: {{ .Values.ports.health }}
    protocol: TCP
env:
  - name: QBSYNC_SOURCE_DATA
    value: {{ include "sidecar-lib.dataPath" . }}
  - name: HEALTH_ADDR
    value: ":{{ .Values.ports.health }}"
  - name: POD_NAME
    valueFrom:
      fieldRef:
        apiVersion: v1
        fieldPath: metadata.name
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        apiVersion: v1
        fieldPath: metadata.namespace
  {{- with $connection.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with $data.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
mounts: {{ concat $data.mounts $connection.mounts | toJson }}
volumes: {{ concat ($data.volumes | default list) $connection.volumes | toJson }}
{{- with $annotation }}
podAnnotations:
  {{ . }}: "false"
{{- end }}
notes: |
  {{- with $annotation }}
  Before a node is drained, let it hand its synced torrents over:

    kubectl -n {{ $.Release.Namespace }} annotate pod -l app.kubernetes.io/instance={{ $.Release.Name }},app.kubernetes.io/name=qbsync-source {{ . }}=true --overwrite
  {{- end }}

  A drain may take {{ $drain }} s (config.drain_timeout).
  {{- if eq .Values.mode "sidecar" }} In qBittorrent's pod qBittorrent would be stopped before it: its container has to wait in a hook,

    lifecycle: { preStop: { httpGet: { path: "/drain?wait", port: {{ .Values.ports.health }} } } }

  and its pod needs a terminationGracePeriodSeconds of {{ add $drain 60 }} or more. The chart qbit-sidecars does both.
  {{- end }}
  {{- if not (include "sidecar-lib.tokenSecret" .) }}

  It shows no token: where qbsync-destination asks for one, name the Secret with it in token.existingSecret.
  {{- end }}
{{- end -}}

{{- define "qbsync-source.files" -}}{{- end -}}

{{/* config.drain_timeout in whole seconds, as the app reads it: 300, 300s, 1h30m. */}}
{{- define "qbsync-source.drainSeconds" -}}
{{- $config := .Values.config | default dict -}}
{{- $written := get $config "drain_timeout" | default "300s" -}}
{{- if kindIs "float64" $written -}}{{- $written = int64 $written -}}{{- end -}}
{{- $written = toString $written -}}
{{- if regexMatch "^[0-9.]+$" $written -}}{{- $written = printf "%ss" $written -}}{{- end -}}
{{- $units := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 "d" 86400.0 -}}
{{- $seconds := 0.0 -}}
{{- range regexFindAll "[0-9.]+(ms|s|m|h|d)" $written -1 -}}
{{- $seconds = addf $seconds (mulf (regexFind "^[0-9.]+" . | float64) (get $units (regexFind "[a-z]+$" .))) -}}
{{- end -}}
{{- ceil $seconds | int -}}
{{- end -}}
