{{- define "sidecar-lib.notes" -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
{{- $name := include "sidecar-lib.fullname" . -}}
{{- if eq .Values.mode "deployment" -}}
{{ .Chart.Name }} runs in a pod of its own.

Is it at work?

  kubectl -n {{ .Release.Namespace }} rollout status deployment/{{ $name }}
  kubectl -n {{ .Release.Namespace }} logs deployment/{{ $name }}
  helm -n {{ .Release.Namespace }} test {{ .Release.Name }}
{{- else -}}
{{ .Chart.Name }} is a sidecar: its container is ready to be put into the pod of your qBittorrent.

  kubectl -n {{ .Release.Namespace }} get configmap {{ $name }}-patch -o 'jsonpath={.data.patch\.yaml}' >patch.yaml
  kubectl -n {{ .Release.Namespace }} patch statefulset YOUR-QBITTORRENT --patch-file patch.yaml

(or "deployment"). Applying your qBittorrent's own chart again takes it out; to keep it there, put the patch into
that chart's values, or let the chart qbit-sidecars run qBittorrent.

Behind gluetun, its container needs {{ $app.healthPort }} in FIREWALL_INPUT_PORTS, or probes do not arrive.
{{- end }}
{{ with $app.notes }}
{{ . }}
{{- end }}
{{- end -}}
