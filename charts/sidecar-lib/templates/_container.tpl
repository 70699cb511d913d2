{{/*
The container of an app: the same in a pod of its own, in the umbrella's pod, and in the pods of other charts, patches
and policies. Takes the scope of the app's chart (in a parent chart: index .Subcharts "port-sync"). What differs from
app to app is in its template "<app>.app".
*/}}
{{- define "sidecar-lib.container" -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
{{- $own := eq .Values.mode "deployment" -}}
name: {{ .Chart.Name }}
image: {{ include "sidecar-lib.image" (dict "image" .Values.image "root" .) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with $app.args }}
args:
  {{- toYaml . | nindent 2 }}
{{- end }}
env:
  {{- include "sidecar-lib.env" (dict "root" . "app" $app) | nindent 2 }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  {{- toYaml $app.ports | nindent 2 }}
livenessProbe:
  httpGet:
    path: /livez
    port: {{ $app.healthPort }}
  {{- toYaml .Values.livenessProbe | nindent 2 }}
{{- /* In a pod with qBittorrent a lost VPN must not take the WebUI out of its Service, and /livez never fails for another's fault. */}}
readinessProbe:
  httpGet:
    path: {{ $own | ternary "/readyz" "/livez" }}
    port: {{ $app.healthPort }}
  {{- toYaml .Values.readinessProbe | nindent 2 }}
resources:
  {{- toYaml .Values.resources | nindent 2 }}
securityContext:
  {{- include "sidecar-lib.securityContext" (dict "root" . "app" $app) | nindent 2 }}
{{- with include "sidecar-lib.mounts" (dict "root" . "app" $app) | fromYamlArray }}
volumeMounts:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* As an init container that keeps running. */}}
{{- define "sidecar-lib.nativeSidecar" -}}
{{ include "sidecar-lib.container" . }}
restartPolicy: Always
{{- end -}}

{{- define "sidecar-lib.app" -}}
{{- $app := include (printf "%s.app" .Chart.Name) . | fromYaml -}}
{{- if hasKey $app "Error" -}}{{- fail (printf "%s.app: %s" .Chart.Name $app.Error) -}}{{- end -}}
{{- $port := (first $app.ports).containerPort -}}
{{- toYaml (merge $app (dict "healthPort" $port "env" list "mounts" list "volumes" list)) -}}
{{- end -}}

{{/* Data of torrents belongs to qBittorrent's user; who writes it beside qBittorrent is that user. */}}
{{- define "sidecar-lib.securityContext" -}}
{{- $context := .root.Values.securityContext -}}
{{- $global := dict -}}
{{- with .root.Values.global -}}{{- $global = .qbittorrent | default dict -}}{{- end -}}
{{- if and .app.ownsData $global.uid -}}
{{- $context = merge (dict "runAsUser" $global.uid "runAsGroup" $global.gid) $context -}}
{{- end -}}
{{- toYaml $context -}}
{{- end -}}

{{- define "sidecar-lib.mounts" -}}
{{- $mounts := .app.mounts -}}
{{- with .app.stateDir -}}
{{- $mounts = append $mounts (dict "name" (printf "%s-state" $.root.Chart.Name) "mountPath" .) -}}
{{- end -}}
{{- if .app.apiToken -}}
{{- $mounts = append $mounts (dict "name" (printf "%s-token" .root.Chart.Name) "mountPath" "/var/run/secrets/kubernetes.io/serviceaccount" "readOnly" true) -}}
{{- end -}}
{{- toYaml (concat $mounts .root.Values.extraVolumeMounts) -}}
{{- end -}}

{{/* The volumes of the container, as a list; empty where the pod brings them all. */}}
{{- define "sidecar-lib.volumes" -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
{{- $volumes := $app.volumes -}}
{{- if $app.stateDir -}}
{{- $source := dict "emptyDir" dict -}}
{{- if .Values.persistence.enabled -}}
{{- $source = dict "persistentVolumeClaim" (dict "claimName" (include "sidecar-lib.stateClaim" .)) -}}
{{- end -}}
{{- $volumes = append $volumes (merge (dict "name" (printf "%s-state" .Chart.Name)) $source) -}}
{{- end -}}
{{- if $app.apiToken -}}
{{- $volumes = append $volumes (include "sidecar-lib.tokenVolume" . | fromYaml) -}}
{{- end -}}
{{- toYaml (concat $volumes .Values.extraVolumes) -}}
{{- end -}}

{{- define "sidecar-lib.stateClaim" -}}
{{- .Values.persistence.existingClaim | default (printf "%s-state" (include "sidecar-lib.fullname" .)) -}}
{{- end -}}

{{/* What automountServiceAccountToken would mount into every container of the pod, for one. */}}
{{- define "sidecar-lib.tokenVolume" -}}
name: {{ .Chart.Name }}-token
projected:
  defaultMode: 0444
  sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: 3607
    - configMap:
        name: kube-root-ca.crt
        items:
          - key: ca.crt
            path: ca.crt
    - downwardAPI:
        items:
          - path: namespace
            fieldRef:
              apiVersion: v1
              fieldPath: metadata.namespace
{{- end -}}

{{/* Changes with what the container is given by name only, so that its pod is made anew. */}}
{{- define "sidecar-lib.checksum" -}}
{{- $content := printf "%s%s" (include "sidecar-lib.secret" .) (include (printf "%s.files" .Chart.Name) .) -}}
checksum/{{ .Chart.Name }}: {{ sha256sum $content }}
{{- end -}}
