{{- define "sidecar-lib.deployment" -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "sidecar-lib.fullname" . }}
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  revisionHistoryLimit: 3
  # Two of most apps at the same time would do everything twice.
  strategy:
    type: {{ $app.manyReplicas | default false | ternary "RollingUpdate" "Recreate" }}
  selector:
    matchLabels:
      {{- include "sidecar-lib.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- /* Without the version: another one of the chart alone must not restart the pod. */}}
        {{- include "sidecar-lib.selectorLabels" . | nindent 8 }}
        {{- with .Values.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        {{- include "sidecar-lib.checksum" . | nindent 8 }}
        {{- with $app.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- with .Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      {{- with include "sidecar-lib.imagePullSecrets" . }}
      {{- nindent 6 . }}
      {{- end }}
      serviceAccountName: {{ include "sidecar-lib.serviceAccountName" . }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
      securityContext:
        {{- include "sidecar-lib.podSecurityContext" (dict "root" . "app" $app) | nindent 8 }}
      containers:
        - {{ include "sidecar-lib.container" . | indent 10 | trim }}
      {{- with include "sidecar-lib.volumes" . | fromYamlArray }}
      volumes:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.affinity | default $app.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
{{- end -}}

{{/* A volume for state is made the app's. One with qBittorrent's data is not: its group would be taken from qBittorrent. */}}
{{- define "sidecar-lib.podSecurityContext" -}}
{{- $context := .root.Values.podSecurityContext -}}
{{- if .app.stateDir -}}
{{- $group := .root.Values.securityContext.runAsGroup -}}
{{- $context = merge (dict) $context (dict "fsGroup" $group "fsGroupChangePolicy" "OnRootMismatch") -}}
{{- end -}}
{{- toYaml $context -}}
{{- end -}}

{{- define "sidecar-lib.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "sidecar-lib.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/*
What the apps of a parent chart add to its pod. Takes { root: the parent's scope, template: "container", "volumes" … }
and gives a list. A chart that is switched off is not in .Subcharts' loop: it has no values that say mode: sidecar.
*/}}
{{- define "sidecar-lib.sidecars" -}}
{{- $names := list -}}
{{- range $name, $sub := .Subcharts -}}
{{- if and (hasKey $sub.Values "mode") (eq (toString $sub.Values.mode) "sidecar") -}}
{{- $names = append $names $name -}}
{{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{- define "sidecar-lib.sidecarContainers" -}}
{{- $root := . -}}
{{- $containers := list -}}
{{- range include "sidecar-lib.sidecars" . | fromJsonArray -}}
{{- $containers = append $containers (include "sidecar-lib.container" (index $root.Subcharts .) | fromYaml) -}}
{{- end -}}
{{- toYaml $containers -}}
{{- end -}}

{{- define "sidecar-lib.nativeSidecars" -}}
{{- $root := . -}}
{{- $containers := list -}}
{{- range include "sidecar-lib.sidecars" . | fromJsonArray -}}
{{- $containers = append $containers (include "sidecar-lib.nativeSidecar" (index $root.Subcharts .) | fromYaml) -}}
{{- end -}}
{{- toYaml $containers -}}
{{- end -}}

{{- define "sidecar-lib.sidecarVolumes" -}}
{{- $root := . -}}
{{- $volumes := list -}}
{{- range include "sidecar-lib.sidecars" . | fromJsonArray -}}
{{- $volumes = concat $volumes (include "sidecar-lib.volumes" (index $root.Subcharts .) | fromYamlArray) -}}
{{- end -}}
{{- toYaml $volumes -}}
{{- end -}}

{{- define "sidecar-lib.sidecarChecksums" -}}
{{- $root := . -}}
{{- range include "sidecar-lib.sidecars" . | fromJsonArray }}
{{ include "sidecar-lib.checksum" (index $root.Subcharts .) }}
{{- end -}}
{{- end -}}
