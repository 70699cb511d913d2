{{/* What sets pia-forwarder's container apart; see sidecar-lib.container. */}}
{{- define "pia-forwarder.app" -}}
{{- $ca := .Values.ca -}}
stateDir: /var/lib/pia-forwarder
ports:
  - name: pia-forwarder
    containerPort: {{ .Values.ports.health }}
    protocol: TCP
env:
  - name: HEALTH_ADDR
    value: ":{{ .Values.ports.health }}"
  - name: STATE_DIR
    value: /var/lib/pia-forwarder
{{- if or $ca.certificate $ca.existingConfigMap }}
  - name: PIA_CA_CERT
    value: /etc/pia/{{ $ca.key }}
    unless: piaCaCert
mounts:
  - name: pia-forwarder-ca
    mountPath: /etc/pia
    readOnly: true
volumes:
  - name: pia-forwarder-ca
    configMap:
      name: {{ $ca.existingConfigMap | default (include "sidecar-lib.fullname" .) }}
{{- end }}
notes: |
  It has to be in the network of the VPN tunnel{{ if eq .Values.mode "deployment" }}, and in a pod of its own it is not, unless the whole pod is: set mode: sidecar{{ end }}.
  {{- if not (or $ca.certificate $ca.existingConfigMap .Values.config.pia_ca_cert) }}
  Without ca.certificate nobody checks that the gateway is PIA's.
  {{- end }}
{{- end -}}

{{- define "pia-forwarder.files" -}}
{{- with .Values.ca.certificate -}}
{{ $.Values.ca.key }}: {{ . | quote }}
{{- end -}}
{{- end -}}
