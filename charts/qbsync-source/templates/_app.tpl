{{/* What sets qbsync-source's container apart; see sidecar-lib.container. */}}
{{- define "qbsync-source.app" -}}
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
{{ include "sidecar-lib.data" (dict "root" . "readOnly" true) }}
{{- with $annotation }}
podAnnotations:
  {{ . }}: "false"
{{- end }}
notes: |
  {{- with $annotation }}
  Before a node is drained, let it hand its synced torrents over:

    kubectl -n {{ $.Release.Namespace }} annotate pod -l app.kubernetes.io/instance={{ $.Release.Name }},app.kubernetes.io/name=qbsync-source {{ . }}=true --overwrite
  {{- end }}

  A drain may take config.drain_timeout (300 s); terminationGracePeriodSeconds ({{ .Values.terminationGracePeriodSeconds }}) must be longer.
{{- end -}}

{{- define "qbsync-source.files" -}}{{- end -}}
