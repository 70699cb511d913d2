{{/*
The VPN. Its startup probe asks whether the control server listens, which gluetun starts after its firewall: what comes
next can leak nothing, and does not wait for the tunnel. It has no readiness probe: a lost tunnel must not take the Web UI
out of its Service.
*/}}
{{- define "qbit-sidecars.gluetunContainer" -}}
{{- $values := .Values.gluetun -}}
{{- $ports := list .Values.global.qbittorrent.port -}}
{{- range include "qbit-sidecars.sidecarPorts" . | fromYamlArray -}}{{- $ports = append $ports .containerPort -}}{{- end -}}
{{- $ports = concat $ports $values.inputPorts -}}
name: gluetun
image: {{ include "sidecar-lib.image" (dict "root" . "image" $values.image) | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
env:
  {{- range $name, $value := omit $values.env "FIREWALL_INPUT_PORTS" "FIREWALL_OUTBOUND_SUBNETS" }}
  - name: {{ $name }}
    value: {{ $value | toString | replace "$" "$$" | quote }}
  {{- end }}
  # Probes and the Service come from outside of the tunnel.
  - name: FIREWALL_INPUT_PORTS
    value: {{ join "," $ports | quote }}
  {{- with $values.outboundSubnets }}
  - name: FIREWALL_OUTBOUND_SUBNETS
    value: {{ join "," . | quote }}
  {{- end }}
{{- with $values.existingSecret | default (empty $values.secretValues | ternary "" (printf "%s-gluetun" .Release.Name)) }}
envFrom:
  - secretRef:
      name: {{ . }}
{{- end }}
startupProbe:
  exec:
    command: [nc, -z, 127.0.0.1, {{ $values.env.HTTP_CONTROL_SERVER_ADDRESS | default ":8000" | splitList ":" | last | quote }}]
  periodSeconds: 2
  failureThreshold: 60
resources:
  {{- toYaml $values.resources | nindent 2 }}
securityContext:
  {{- if $values.privileged }}
  privileged: true
  {{- else }}
  allowPrivilegeEscalation: false
  capabilities:
    add: [NET_ADMIN]
  {{- end }}
volumeMounts:
  - name: gluetun
    mountPath: /tmp/gluetun
  {{- if $values.mountTun }}
  - name: tun
    mountPath: /dev/net/tun
  {{- end }}
{{- end -}}
