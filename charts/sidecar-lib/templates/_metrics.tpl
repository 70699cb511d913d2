{{/* Sidecars have no Service of their own; a PodMonitor finds them in whichever pod they are. */}}
{{- define "sidecar-lib.podMonitor" -}}
{{- $monitor := .Values.metrics.podMonitor -}}
{{- if $monitor.enabled -}}
{{- if .Values.metrics.serviceMonitor.enabled -}}
{{- fail "metrics: podMonitor and serviceMonitor would both collect the same metrics; enable one of them" -}}
{{- end -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ include "sidecar-lib.fullname" . }}
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "sidecar-lib.podSelector" . | nindent 6 }}
  podMetricsEndpoints:
    - port: {{ (first $app.ports).name }}
      path: /metrics
      interval: {{ $monitor.interval }}
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.serviceMonitor" -}}
{{- $monitor := .Values.metrics.serviceMonitor -}}
{{- if $monitor.enabled -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ include "sidecar-lib.fullname" . }}
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "sidecar-lib.selectorLabels" . | nindent 6 }}
  endpoints:
    - port: {{ (first $app.ports).name }}
      path: /metrics
      interval: {{ $monitor.interval }}
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.prometheusRule" -}}
{{- $rule := .Values.metrics.prometheusRule -}}
{{- $alerts := .Files.Get "alerts.yaml" | fromYamlArray -}}
{{- if and $rule.enabled $alerts -}}
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: {{ include "sidecar-lib.fullname" . }}
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
    {{- with $rule.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  groups:
    - name: {{ include "sidecar-lib.fullname" . }}
      rules:
        {{- toYaml $alerts | nindent 8 }}
{{- end -}}
{{- end -}}

{{/* Found by Grafana's sidecar through its label. */}}
{{- define "sidecar-lib.dashboard" -}}
{{- $dashboard := .Values.metrics.dashboard -}}
{{- if $dashboard.enabled -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "sidecar-lib.fullname" . }}-dashboard
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
    {{- toYaml $dashboard.labels | nindent 4 }}
data:
  {{ .Chart.Name }}.json: |
    {{- .Files.Get "dashboard.json" | nindent 4 }}
{{- end -}}
{{- end -}}
