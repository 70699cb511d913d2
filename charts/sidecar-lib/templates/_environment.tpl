{{/*
The variables of the container, as a list: what the values say under config: and secrets:, what the chart decides
(env: of the app), and extraEnv. Every setting goes into its first variable, so that the app's own rules for variables
hold. Kubernetes reads $(X) in a value; a doubled $ is one $.
*/}}
{{- define "sidecar-lib.env" -}}
{{- $root := .root -}}
{{- $env := list -}}
{{- $own := dict -}}
{{- range include (printf "%s.settings" $root.Chart.Name) $root | fromJsonArray -}}
{{- $at := $root.Values.config | default dict -}}
{{- $found := true -}}
{{- range .key -}}
{{- if and $found (kindIs "map" $at) (hasKey $at .) -}}
{{- $at = get $at . -}}
{{- else -}}
{{- $found = false -}}
{{- end -}}
{{- end -}}
{{- if and $found (not (kindIs "invalid" $at)) -}}
{{- $text := kindIs "slice" $at | ternary (join "," $at) (toString $at) -}}
{{- $env = append $env (dict "name" .env "value" ($text | replace "$" "$$")) -}}
{{- $_ := set $own .name true -}}
{{- end -}}
{{- end -}}
{{- $env = concat $env (include "sidecar-lib.qbittorrentEnv" (dict "root" $root "own" $own) | fromYamlArray) -}}
{{- range .app.env -}}
{{- if not (and .unless (hasKey $own .unless)) -}}
{{- $env = append $env (omit . "unless") -}}
{{- end -}}
{{- end -}}
{{- range include "sidecar-lib.secretEnv" $root | fromYamlArray -}}
{{- $env = include "sidecar-lib.withSecret" (dict "env" $env "secret" .) | fromYamlArray -}}
{{- end -}}
{{- $env = concat $env $root.Values.extraEnv -}}
{{- if $env -}}{{- toYaml $env -}}{{- else -}}[]{{- end -}}
{{- end -}}

{{/* Where qBittorrent is, and its user name, where the values do not say so themselves. */}}
{{- define "sidecar-lib.qbittorrentEnv" -}}
{{- $root := .root -}}
{{- $own := .own -}}
{{- $env := list -}}
{{- $global := dict -}}
{{- with $root.Values.global -}}{{- $global = .qbittorrent | default dict -}}{{- end -}}
{{- range include (printf "%s.settings" $root.Chart.Name) $root | fromJsonArray -}}
{{- if and (eq .name "qbitUrl") (not (hasKey $own .name)) -}}
{{- if $global.port -}}
{{- $host := eq $root.Values.mode "sidecar" | ternary "localhost" (include "sidecar-lib.qbittorrentName" $root) -}}
{{- $env = append $env (dict "name" .env "value" (printf "http://%s:%v" $host $global.port)) -}}
{{- else if eq $root.Values.mode "sidecar" -}}
{{- $env = append $env (dict "name" .env "value" "http://localhost:8080") -}}
{{- else if not (get . "optional") -}}
{{- fail (printf "config.%s: in a pod of its own %s has to be told where qBittorrent is, such as http://qbittorrent:8080" (join "." .key) $root.Chart.Name) -}}
{{- end -}}
{{- else if and (eq .name "qbitUser") (not (hasKey $own .name)) $global.username -}}
{{- $env = append $env (dict "name" .env "value" ($global.username | replace "$" "$$")) -}}
{{- end -}}
{{- end -}}
{{- toYaml $env -}}
{{- end -}}

{{/*
Each secret from the first that has it: secrets.values (in a Secret that the chart makes), a key that secrets.keys names,
the umbrella's Secret for qBittorrent, secrets.existingSecret. An existing Secret need not have all keys.
*/}}
{{- define "sidecar-lib.secretEnv" -}}
{{- $root := . -}}
{{- $secrets := .Values.secrets -}}
{{- $global := dict -}}
{{- with .Values.global -}}{{- $global = .qbittorrent | default dict -}}{{- end -}}
{{- $env := list -}}
{{- range include (printf "%s.secrets" .Chart.Name) . | fromJsonArray -}}
{{- $ref := dict -}}
{{- if get ($secrets.values | default dict) .env -}}
{{- $ref = dict "name" (include "sidecar-lib.fullname" $root) "key" .env -}}
{{- else if and $secrets.existingSecret (get ($secrets.keys | default dict) .env) -}}
{{- $ref = dict "name" $secrets.existingSecret "key" (get $secrets.keys .env) "optional" false -}}
{{- else if and $global.existingSecret (has .name (list "qbitPass" "qbitApiKey")) -}}
{{- $key := eq .name "qbitPass" | ternary $global.passwordKey $global.apiKeyKey -}}
{{- $ref = dict "name" $global.existingSecret "key" $key "optional" true -}}
{{- else if $secrets.existingSecret -}}
{{- $ref = dict "name" $secrets.existingSecret "key" .env "optional" true -}}
{{- end -}}
{{- if $ref -}}
{{- $env = append $env (dict "name" .env "valueFrom" (dict "secretKeyRef" $ref)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $env -}}
{{- end -}}

{{/* A Redis URL may come from config: or from a Secret. A key that the Secret is known to have wins. */}}
{{- define "sidecar-lib.withSecret" -}}
{{- $env := .env -}}
{{- $others := list -}}
{{- range $env -}}{{- if ne .name $.secret.name -}}{{- $others = append $others . -}}{{- end -}}{{- end -}}
{{- if eq (len $others) (len $env) -}}
{{- toYaml (append $env .secret) -}}
{{- else if .secret.valueFrom.secretKeyRef.optional -}}
{{- toYaml $env -}}
{{- else -}}
{{- toYaml (append $others .secret) -}}
{{- end -}}
{{- end -}}
