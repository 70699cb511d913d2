{{- define "sidecar-lib.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if and .Chart.IsRoot (contains $name .Release.Name) -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/*
Kubernetes tells every container of a namespace about a Service x-y by X_Y_PORT=tcp://… and others. Where that would be
a variable of one of the apps (release "qbt" gives qbt-rules-server and so QBT_RULES_SERVER_PORT), the Service gets
another name. Our own pods have these variables off; pods of other charts may not. Takes a name.
*/}}
{{- define "sidecar-lib.harmlessName" -}}
{{- $name := . -}}
{{- $links := printf "^%s_(PORT|SERVICE_HOST|SERVICE_PORT)(_|$)" ($name | upper | replace "-" "_") -}}
{{- $collides := false -}}
{{- range include "sidecar-lib.variables" . | fromJsonArray -}}
{{- if regexMatch $links . -}}{{- $collides = true -}}{{- end -}}
{{- end -}}
{{- $collides | ternary (printf "%s-svc" ($name | trunc 59)) $name -}}
{{- end -}}

{{- define "sidecar-lib.serviceName" -}}
{{- include "sidecar-lib.fullname" . | include "sidecar-lib.harmlessName" -}}
{{- end -}}

{{/* The umbrella's qBittorrent, as its other pods see it. */}}
{{- define "sidecar-lib.qbittorrentName" -}}
{{- printf "%s-qbittorrent" (.Release.Name | trunc 51 | trimSuffix "-") | include "sidecar-lib.harmlessName" -}}
{{- end -}}

{{- define "sidecar-lib.valkeyName" -}}
{{- printf "%s-valkey" (.Release.Name | trunc 51 | trimSuffix "-") | include "sidecar-lib.harmlessName" -}}
{{- end -}}

{{- define "sidecar-lib.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sidecar-lib.labels" -}}
{{ include "sidecar-lib.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: qbit-sidecars
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sidecar-lib.qbittorrentLabels" -}}
app.kubernetes.io/name: qbittorrent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of the pod that the container is in, wherever that is. */}}
{{- define "sidecar-lib.podSelector" -}}
{{- if eq .Values.mode "deployment" -}}
{{ include "sidecar-lib.selectorLabels" . }}
{{- else if include "sidecar-lib.inUmbrella" . -}}
{{ include "sidecar-lib.qbittorrentLabels" . }}
{{- else if .Values.sidecar.podLabels -}}
{{ toYaml .Values.sidecar.podLabels }}
{{- else -}}
{{- fail "sidecar.podLabels: which labels does the pod have that this sidecar is in?" -}}
{{- end -}}
{{- end -}}

{{/* Not empty where the umbrella chart runs qBittorrent. */}}
{{- define "sidecar-lib.inUmbrella" -}}
{{- with .Values.global -}}{{- with .qbittorrent -}}{{- if .port -}}yes{{- end -}}{{- end -}}{{- end -}}
{{- end -}}

{{/* Not empty where sidecars are init containers that keep running: Kubernetes 1.29 and later. */}}
{{- define "sidecar-lib.native" -}}
{{- $wanted := .Values.nativeSidecars | default "auto" -}}
{{- with .Values.global -}}{{- if hasKey . "nativeSidecars" -}}{{- $wanted = .nativeSidecars -}}{{- end -}}{{- end -}}
{{- if eq (toString $wanted) "auto" -}}
{{- if semverCompare ">=1.29.0-0" .Capabilities.KubeVersion.Version -}}yes{{- end -}}
{{- else if eq (toString $wanted) "true" -}}yes{{- end -}}
{{- end -}}

{{/* Takes { image, root }: image.tag, or the chart's appVersion; a digest wins. */}}
{{- define "sidecar-lib.image" -}}
{{- $registry := .image.registry -}}
{{- with .root.Values.global -}}{{- with .imageRegistry -}}{{- $registry = . -}}{{- end -}}{{- end -}}
{{- $name := printf "%s/%s" $registry .image.repository -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.image.tag | default .root.Chart.AppVersion | toString) -}}
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.imagePullSecrets" -}}
{{- $secrets := .Values.imagePullSecrets | default list -}}
{{- with .Values.global -}}{{- $secrets = concat $secrets (.imagePullSecrets | default list) -}}{{- end -}}
{{- with $secrets -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}
