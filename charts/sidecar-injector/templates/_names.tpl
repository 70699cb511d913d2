{{/* Policies belong to the cluster: two namespaces may each have theirs. */}}
{{- define "sidecar-injector.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "sidecar-lib.fullname" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sidecar-injector.newPods" -}}
resourceRules:
  - apiGroups: [""]
    apiVersions: [v1]
    operations: [CREATE]
    resources: [pods]
{{- end -}}

{{- define "sidecar-injector.asksForApps" -}}
- name: asks-for-apps
  expression: {{ printf "%s in object.metadata.?annotations.orValue({})" (toRawJson .Values.annotation) | quote }}
{{- end -}}

{{/* The names in the annotation: "port-sync, ntfy-sidecar". */}}
{{- define "sidecar-injector.wanted" -}}
{{- printf "object.metadata.annotations[%s].split(',').map(app, app.trim()).filter(app, app != '')" (toRawJson .Values.annotation) -}}
{{- end -}}

{{- define "sidecar-injector.namespaces" -}}
namespaceSelector:
  {{- with .Values.namespaceSelector }}
  {{- toYaml . | nindent 2 }}
  {{- else }}
  matchLabels:
    kubernetes.io/metadata.name: {{ .Release.Namespace }}
  {{- end }}
{{- end -}}
