{{- define "qbit-sidecars.labels" -}}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: qbit-sidecars
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* What the flavour says where the values say nothing. */}}
{{- define "qbit-sidecars.qbittorrentImage" -}}
{{- $image := .Values.qbittorrent.image -}}
{{- $flavour := eq .Values.qbittorrent.flavour "linuxserver" | ternary (dict "registry" "lscr.io" "repository" "linuxserver/qbittorrent") (dict "registry" "ghcr.io" "repository" "home-operations/qbittorrent") -}}
{{- $registry := $image.registry | default $flavour.registry -}}
{{- $repository := $image.repository | default $flavour.repository -}}
{{- include "sidecar-lib.image" (dict "root" . "image" (merge (dict "registry" $registry "repository" $repository) $image)) -}}
{{- end -}}

{{/* Meets the restricted Pod Security level. */}}
{{- define "qbit-sidecars.restricted" -}}
runAsNonRoot: true
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "qbit-sidecars.asQbittorrent" -}}
runAsUser: {{ .Values.global.qbittorrent.uid }}
runAsGroup: {{ .Values.global.qbittorrent.gid }}
{{ include "qbit-sidecars.restricted" . }}
{{- end -}}

{{- define "qbit-sidecars.qbittorrentContainer" -}}
{{- $values := .Values.qbittorrent -}}
{{- $linuxserver := eq $values.flavour "linuxserver" -}}
{{- $port := .Values.global.qbittorrent.port -}}
name: qbittorrent
image: {{ include "qbit-sidecars.qbittorrentImage" . | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
env:
  {{- if $linuxserver }}
  - { name: PUID, value: {{ .Values.global.qbittorrent.uid | quote }} }
  - { name: PGID, value: {{ .Values.global.qbittorrent.gid | quote }} }
  - { name: WEBUI_PORT, value: {{ $port | quote }} }
  {{- else }}
  - { name: QBT_WEBUI_PORT, value: {{ $port | quote }} }
  {{- end }}
  {{- with $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: webui
    containerPort: {{ $port }}
    protocol: TCP
{{- if has "qbsync-source" (include "sidecar-lib.sidecars" . | fromJsonArray) }}
{{- $source := index .Subcharts "qbsync-source" }}
{{- $config := $source.Values.config | default dict }}
{{- if and (hasKey $config "drain_annotation") (eq (get $config "drain_annotation" | toString) "") }}
{{- fail "qbsync-source.config.drain_annotation: in qBittorrent's pod the kubelet asks for a drain, which takes an annotation; without one qbsync-source.mode has to be deployment" }}
{{- end }}
# Sidecars are stopped after this container: a drain must be over before it is told to stop.
lifecycle:
  preStop:
    httpGet:
      path: /drain?wait
      port: {{ $source.Values.ports.health }}
{{- end }}
# Not HTTP: the Web UI refuses hosts it does not know, and its login page says nothing more than that it listens.
startupProbe:
  tcpSocket:
    port: {{ $port }}
  periodSeconds: 5
  failureThreshold: 60
livenessProbe:
  tcpSocket:
    port: {{ $port }}
  periodSeconds: 20
  timeoutSeconds: 5
readinessProbe:
  tcpSocket:
    port: {{ $port }}
  periodSeconds: 10
  timeoutSeconds: 5
resources:
  {{- toYaml $values.resources | nindent 2 }}
{{- if $values.securityContext }}
securityContext:
  {{- toYaml $values.securityContext | nindent 2 }}
{{- else if not $linuxserver }}
securityContext:
  {{- include "qbit-sidecars.asQbittorrent" . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: config
    mountPath: /config
  - name: downloads
    mountPath: {{ .Values.global.downloads.mountPath }}
  - name: tmp
    mountPath: /tmp
  {{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* Writes qBittorrent.conf where there is none: with qBittorrent's own image, as its user. */}}
{{- define "qbit-sidecars.initialConfigContainer" -}}
name: initial-config
image: {{ include "qbit-sidecars.qbittorrentImage" . | quote }}
imagePullPolicy: {{ .Values.qbittorrent.image.pullPolicy }}
command: [/bin/sh, -ec]
args:
  - |
    conf=/config/qBittorrent/qBittorrent.conf
    if [ ! -e "$conf" ]; then
      mkdir -p /config/qBittorrent
      cp /initial-config/qBittorrent.conf "$conf"
    fi
resources:
  requests: { cpu: 10m, memory: 16Mi }
  limits: { memory: 64Mi }
securityContext:
  {{- include "qbit-sidecars.asQbittorrent" . | nindent 2 }}
volumeMounts:
  - name: config
    mountPath: /config
  - name: initial-config
    mountPath: /initial-config
    readOnly: true
{{- end -}}

{{/* Ports of the sidecars in qBittorrent's pod, with their names. */}}
{{- define "qbit-sidecars.sidecarPorts" -}}
{{- $ports := list -}}
{{- range include "sidecar-lib.sidecarContainers" . | fromYamlArray -}}
{{- $ports = concat $ports .ports -}}
{{- end -}}
{{- toYaml $ports -}}
{{- end -}}

{{/* Only the drain of qbsync-source has anything to ask Kubernetes. */}}
{{- define "qbit-sidecars.serviceAccountName" -}}
{{- $name := "default" -}}
{{- if has "qbsync-source" (include "sidecar-lib.sidecars" . | fromJsonArray) -}}
{{- $name = include "sidecar-lib.serviceAccountName" (index .Subcharts "qbsync-source") -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{/* Longer where a drain has to be waited for. */}}
{{- define "qbit-sidecars.gracePeriod" -}}
{{- $seconds := int .Values.qbittorrent.terminationGracePeriodSeconds -}}
{{- if has "qbsync-source" (include "sidecar-lib.sidecars" . | fromJsonArray) -}}
{{- $source := index .Subcharts "qbsync-source" -}}
{{- $drain := include "qbsync-source.drainSeconds" $source | int -}}
{{- $seconds = max (add $drain $seconds) (int $source.Values.terminationGracePeriodSeconds) -}}
{{- end -}}
{{- $seconds -}}
{{- end -}}
