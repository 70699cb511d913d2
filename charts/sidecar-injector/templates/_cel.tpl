{{/*
A value as an expression of the Common Expression Language, whose lists and maps hold values of one type unless each is
wrapped in dyn().
*/}}
{{- define "sidecar-injector.cel" -}}
{{- if kindIs "map" . -}}
dyn({ {{- range $i, $key := keys . | sortAlpha -}}{{ if $i }}, {{ end }}{{ toRawJson $key }}: {{ include "sidecar-injector.cel" (get $ $key) }}{{ end -}} })
{{- else if kindIs "slice" . -}}
dyn([ {{- range $i, $value := . -}}{{ if $i }}, {{ end }}{{ include "sidecar-injector.cel" $value }}{{ end -}} ])
{{- else -}}
dyn({{ toRawJson . }})
{{- end -}}
{{- end -}}
