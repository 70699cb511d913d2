{{/*
How qbsync-source and qbsync-destination know each other: a token by default, certificates where there are some. Both are
files, which the apps read again when they change.
*/}}

{{/* The Secret that holds the token; empty for none, and where `secrets` has one as every other secret. */}}
{{- define "sidecar-lib.tokenSecret" -}}
{{- $variable := printf "%s_TOKEN" (.Chart.Name | upper | replace "-" "_") -}}
{{- $isElsewhere := or (get (.Values.secrets.values | default dict) $variable) (get (.Values.secrets.keys | default dict) $variable) -}}
{{- if and .Values.token.enabled (not $isElsewhere) -}}
{{- if .Values.token.existingSecret -}}{{- .Values.token.existingSecret -}}
{{- else if include "sidecar-lib.inUmbrella" . -}}{{- include "sidecar-lib.sharedTokenSecret" . -}}
{{- else if eq .Chart.Name "qbsync-destination" -}}{{- printf "%s-token" (include "sidecar-lib.fullname" . | trunc 57) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.tokenKey" -}}
{{- if .Values.token.existingSecret -}}{{- .Values.token.key -}}{{- else -}}token{{- end -}}
{{- end -}}

{{- define "sidecar-lib.sharedTokenSecret" -}}
{{- printf "%s-qbsync-token" (.Release.Name | trunc 50 | trimSuffix "-") -}}
{{- end -}}

{{/*
A Secret with a token that nobody has to think of. Takes { root, name, labels }. One that is there stays as it is: with
"helm template", as Argo CD runs it, nothing is seen to be there, and token.existingSecret has to be used.
*/}}
{{- define "sidecar-lib.generatedToken" -}}
{{- $found := lookup "v1" "Secret" .root.Release.Namespace .name | default dict -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ .name }}
  labels:
    {{- .labels | nindent 4 }}
  annotations:
    # The other side may have a copy: it outlives the release.
    helm.sh/resource-policy: keep
type: Opaque
data:
  token: {{ dig "data" "token" "" $found | default (randAlphaNum 43 | b64enc) }}
{{- end -}}

{{/* Gives env, mounts and volumes. Takes { root, variables: those for the files of the TLS Secret, each { name, file, unless } }. */}}
{{- define "sidecar-lib.connection" -}}
{{- $root := .root -}}
{{- $name := $root.Chart.Name -}}
{{- $prefix := $name | upper | replace "-" "_" -}}
{{- $env := list -}}
{{- $mounts := list -}}
{{- $volumes := list -}}
{{- with include "sidecar-lib.tokenSecret" $root -}}
{{- $env = append $env (dict "name" (printf "%s_TOKEN_FILE" $prefix) "value" "/var/run/qbsync/token/token") -}}
{{- $mounts = append $mounts (dict "name" (printf "%s-peer" $name) "mountPath" "/var/run/qbsync/token" "readOnly" true) -}}
{{- $key := include "sidecar-lib.tokenKey" $root -}}
{{- $items := list (dict "key" $key "path" "token") -}}
{{- $volumes = append $volumes (dict "name" (printf "%s-peer" $name) "secret" (dict "secretName" . "defaultMode" 292 "items" $items)) -}}
{{- end -}}
{{- with $root.Values.tls.existingSecret -}}
{{- range $.variables -}}
{{- $env = append $env (dict "name" (printf "%s_%s" $prefix .name) "value" (printf "/var/run/qbsync/tls/%s" .file) "unless" .unless) -}}
{{- end -}}
{{- $mounts = append $mounts (dict "name" (printf "%s-tls" $name) "mountPath" "/var/run/qbsync/tls" "readOnly" true) -}}
{{- $volumes = append $volumes (dict "name" (printf "%s-tls" $name) "secret" (dict "secretName" . "defaultMode" 292)) -}}
{{- end -}}
{{- toJson (dict "env" $env "mounts" $mounts "volumes" $volumes) -}}
{{- end -}}
