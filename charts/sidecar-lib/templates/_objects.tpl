{{/* Every object of an app's chart. What a chart adds is in its own files. */}}
{{- define "sidecar-lib.objects" -}}
{{- $own := eq .Values.mode "deployment" -}}
{{- $objects := list "secret" "configMap" "claim" "serviceAccount" "podMonitor" "prometheusRule" "dashboard" -}}
{{- if $own -}}
{{- $objects = concat $objects (list "deployment" "service" "serviceMonitor" "networkPolicy" "podDisruptionBudget" "test") -}}
{{- else if .Chart.IsRoot -}}
{{- $objects = append $objects "patch" -}}
{{- end -}}
{{- $root := . -}}
{{- range $objects -}}
{{- with include (printf "sidecar-lib.%s" .) $root | trim }}
---
{{ . }}
{{- end -}}
{{- end -}}
{{- range .Values.extraObjects }}
---
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.secret" -}}
{{- $root := . -}}
{{- with .Values.secrets.values -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ include "sidecar-lib.fullname" $root }}
  labels:
    {{- include "sidecar-lib.labels" $root | nindent 4 }}
type: Opaque
stringData:
  {{- range $name, $value := . }}
  {{- if $value }}
  {{ $name }}: {{ $value | quote }}
  {{- end }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.configMap" -}}
{{- $root := . -}}
{{- with include (printf "%s.files" .Chart.Name) . | fromYaml -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "sidecar-lib.fullname" $root }}
  labels:
    {{- include "sidecar-lib.labels" $root | nindent 4 }}
data:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.claim" -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
{{- if and $app.stateDir .Values.persistence.enabled (not .Values.persistence.existingClaim) -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ include "sidecar-lib.stateClaim" . }}
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
  {{- with .Values.persistence.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  accessModes: {{ toJson .Values.persistence.accessModes }}
  {{- with .Values.persistence.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .Values.persistence.size }}
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "sidecar-lib.serviceAccountName" . }}
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.service" -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "sidecar-lib.serviceName" . }}
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
  {{- with .Values.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  type: {{ .Values.service.type }}
  selector:
    {{- include "sidecar-lib.selectorLabels" . | nindent 4 }}
  ports:
    {{- range $app.ports }}
    - name: {{ .name }}
      port: {{ .containerPort }}
      targetPort: {{ .name }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{- define "sidecar-lib.podDisruptionBudget" -}}
{{- if .Values.podDisruptionBudget.enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "sidecar-lib.fullname" . }}
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .Values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "sidecar-lib.selectorLabels" . | nindent 6 }}
{{- end -}}
{{- end -}}

{{- define "sidecar-lib.networkPolicy" -}}
{{- if .Values.networkPolicy.enabled -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "sidecar-lib.fullname" . }}
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "sidecar-lib.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - ports:
        {{- range $app.ports }}
        - port: {{ .containerPort }}
          protocol: TCP
        {{- end }}
      {{- with .Values.networkPolicy.from }}
      from:
        {{- toYaml . | nindent 8 }}
      {{- end }}
  egress:
    - ports:
        - { port: 53, protocol: UDP }
        - { port: 53, protocol: TCP }
    - ports:
        {{- range concat .Values.networkPolicy.egressPorts ($app.egressPorts | default list) | uniq }}
        - { port: {{ . }}, protocol: TCP }
        {{- end }}
    {{- with .Values.networkPolicy.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* "helm test": the app's own image asks its health. */}}
{{- define "sidecar-lib.test" -}}
{{- $app := include "sidecar-lib.app" . | fromYaml -}}
{{- include "sidecar-lib.healthTest" (dict "root" . "name" (include "sidecar-lib.fullname" .) "addr" (printf "%s:%v" (include "sidecar-lib.serviceName" .) $app.healthPort) "image" .Values.image) -}}
{{- end -}}

{{/* Takes { root, name, addr, image }: image of any of the apps, all of which know "healthcheck". */}}
{{- define "sidecar-lib.healthTest" -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ printf "%s-test" (.name | trunc 58) }}
  labels:
    app.kubernetes.io/name: {{ .root.Chart.Name }}-test
    {{- omit (include "sidecar-lib.labels" .root | fromYaml) "app.kubernetes.io/name" | toYaml | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  {{- with include "sidecar-lib.imagePullSecrets" .root }}
  {{- nindent 2 . }}
  {{- end }}
  restartPolicy: Never
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    runAsNonRoot: true
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: healthcheck
      image: {{ include "sidecar-lib.image" (dict "image" .image "root" .root) | quote }}
      imagePullPolicy: {{ .image.pullPolicy }}
      args: [healthcheck]
      env:
        - name: HEALTH_ADDR
          value: {{ .addr | quote }}
      resources:
        requests: { cpu: 10m, memory: 48Mi }
        limits: { memory: 128Mi }
      securityContext:
        runAsUser: 65532
        runAsGroup: 65532
        runAsNonRoot: true
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: [ALL]
        seccompProfile:
          type: RuntimeDefault
{{- end -}}

{{/* For a pod that another chart made: kubectl patch … --patch-file. */}}
{{- define "sidecar-lib.patch" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "sidecar-lib.fullname" . }}-patch
  labels:
    {{- include "sidecar-lib.labels" . | nindent 4 }}
data:
  patch.yaml: |
    {{- include "sidecar-lib.podPatch" . | nindent 4 }}
{{- end -}}

{{- define "sidecar-lib.podPatch" -}}
{{- $native := include "sidecar-lib.native" . -}}
spec:
  template:
    metadata:
      annotations:
        {{- include "sidecar-lib.checksum" . | nindent 8 }}
    spec:
      {{- if $native }}
      {{- /* Without it, kubectl puts what is new before what is there: before gluetun's firewall. */}}
      $setElementOrder/initContainers:
        {{- range append .Values.sidecar.after .Chart.Name }}
        - name: {{ . }}
        {{- end }}
      initContainers:
        - {{ include "sidecar-lib.nativeSidecar" . | indent 10 | trim }}
      {{- else }}
      containers:
        - {{ include "sidecar-lib.container" . | indent 10 | trim }}
      {{- end }}
      {{- with include "sidecar-lib.volumes" . | fromYamlArray }}
      volumes:
        {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}
